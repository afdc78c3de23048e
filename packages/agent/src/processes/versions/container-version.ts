import type { RootFiles } from './root-files.ts';
import { type FoundVersion, shortHash } from './version.ts';

/** The OCI configuration of a container in Kubernetes has 20 KB; Docker's own has more. */
const mostConfigBytes = 1024 * 1024;
const mostLabelBytes = 256 * 1024;
/** Where manifests mount the downward API's `metadata.labels`: Kubernetes' documentation has the first. */
const podLabelFiles = ['/etc/podinfo/labels', '/etc/pod-info/labels', '/podinfo/labels', '/etc/podlabels/labels'];

/**
 * The version of a container from what the host has of it, without asking an API server or an engine:
 * - the pod's labels, where the downward API has put them into the container: `app.kubernetes.io/version`;
 * - what the runtime was told (its OCI `config.json`: containerd, CRI-O, Podman; Docker's `config.v2.json`): labels of the pod or the image, the tag of
 *   the image, its digest.
 *
 * `own` are the container's files, `host` those of the host.
 */
export async function readContainerVersion(
  containerId: string,
  own: RootFiles,
  host: RootFiles | undefined,
): Promise<FoundVersion | undefined> {
  for (const path of podLabelFiles) {
    const version = versionOfLabelFile((await own.readText(path, mostLabelBytes)) ?? '');
    if (version !== undefined) return { version, source: 'kubernetes_label' };
  }
  if (host === undefined) return undefined;
  for (const path of configPaths(containerId)) {
    const config = parsedObject(await host.readText(path, mostConfigBytes));
    const version = config === undefined ? undefined : versionOfConfig(config);
    if (version !== undefined) return version;
  }
  return undefined;
}

/** `{id}` is of 64 hex digits here: nothing of it can leave the folder. */
function configPaths(id: string): string[] {
  if (!/^[0-9a-f]{64}$/u.test(id)) return [];
  return [
    `/run/containerd/io.containerd.runtime.v2.task/k8s.io/${id}/config.json`,
    `/var/lib/docker/containers/${id}/config.v2.json`,
    `/run/containers/storage/overlay-containers/${id}/userdata/config.json`,
    `/var/lib/containers/storage/overlay-containers/${id}/userdata/config.json`,
    `/run/containerd/io.containerd.runtime.v2.task/default/${id}/config.json`,
    `/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/${id}/config.json`,
  ];
}

const versionLabel = 'app.kubernetes.io/version';
const imageVersionLabel = 'org.opencontainers.image.version';

/** Lines of `key="value"`, values escaped as Go does (k8s.io/kubernetes, pkg/fieldpath). */
function versionOfLabelFile(text: string): string | undefined {
  const quoted = /^app\.kubernetes\.io\/version="((?:[^"\\]|\\.)*)"$/mu.exec(text)?.[1];
  return quoted === undefined || quoted === '' ? undefined : quoted.replaceAll(/\\(.)/gu, '$1');
}

type Fields = Readonly<Record<string, unknown>>;

function versionOfConfig(config: Fields): FoundVersion | undefined {
  const annotations = fieldsOf(config['annotations']);
  const docker = fieldsOf(config['Config']);
  // CRI-O and the Docker shim of Kubernetes keep labels as JSON or as they are.
  const labelSets = [
    annotations,
    fieldsOf(docker['Labels']),
    parsedObject(annotations['io.kubernetes.cri-o.Labels']) ?? {},
    parsedObject(annotations['io.kubernetes.cri-o.Annotations']) ?? {},
  ];
  const label = (name: string): string | undefined =>
    labelSets.map((set) => textOf(set[name])).find((text) => text !== undefined);
  const ofPod = label(versionLabel);
  if (ofPod !== undefined) return { version: ofPod, source: 'kubernetes_label' };
  const image =
    textOf(annotations['io.kubernetes.cri.image-name']) ??
    textOf(annotations['io.kubernetes.cri-o.ImageName']) ??
    textOf(annotations['io.podman.annotations.image-name']) ??
    textOf(docker['Image']) ??
    '';
  const tag = tagOf(image);
  if (tag !== undefined) return { version: tag, source: 'image_tag' };
  const ofImage = label(imageVersionLabel);
  if (ofImage !== undefined) return { version: ofImage, source: 'image_label' };
  const digests = [image, textOf(annotations['io.kubernetes.cri-o.ImageRef']), textOf(config['Image'])];
  const digest = digests
    .map((text) => /(?:^|sha256:)([0-9a-f]{64})$/u.exec(text ?? '')?.[1])
    .find((one) => one !== undefined);
  return digest === undefined ? undefined : { version: shortHash(digest), source: 'image_digest' };
}

/** `registry:5000/team/api:v1.4.2@sha256:…` has the tag `v1.4.2`. `latest` is no version: it names another image each day. */
export function tagOf(image: string): string | undefined {
  const [name = ''] = image.split('@', 1);
  const tag = /:([\w][\w.-]{0,127})$/u.exec(name.slice(name.lastIndexOf('/') + 1))?.[1];
  return tag === undefined || tag === 'latest' || name.startsWith('sha256:') ? undefined : tag;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function parsedObject(text: unknown): Fields | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return fieldsOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
