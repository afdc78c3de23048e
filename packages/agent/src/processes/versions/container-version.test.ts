import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readContainerVersion, tagOf } from './container-version.ts';
import { RootFiles } from './root-files.ts';

const id = '1f2e3d4c5b6a79880123456789abcdef1f2e3d4c5b6a79880123456789abcdef';
const digest = 'ab'.repeat(32);
let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'everflame-container-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** `version (source)` of a container for which these files lie on the host and in the container. */
async function drawn(host: Record<string, unknown>, own: Record<string, string> = {}): Promise<string> {
  for (const [side, files] of Object.entries({ host, own })) {
    mkdirSync(join(folder, side), { recursive: true });
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder, side, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    }
  }
  const [hostFiles, ownFiles] = [await RootFiles.of(join(folder, 'host')), await RootFiles.of(join(folder, 'own'))];
  if (ownFiles === undefined) throw new Error('no files');
  const found = await readContainerVersion(id, ownFiles, hostFiles);
  await hostFiles?.close();
  await ownFiles.close();
  rmSync(folder, { recursive: true });
  return found === undefined ? 'none' : `${found.version} (${found.source})`;
}

const containerd = `run/containerd/io.containerd.runtime.v2.task/k8s.io/${id}/config.json`;
const crio = `run/containers/storage/overlay-containers/${id}/userdata/config.json`;
const docker = `var/lib/docker/containers/${id}/config.v2.json`;

test('each runtime’s record of a container says its version', async () => {
  const cri = (image: string) => ({ [containerd]: { annotations: { 'io.kubernetes.cri.image-name': image } } });
  expect(await drawn(cri('registry:5000/team/api:v1.4.2'))).toBe('v1.4.2 (image_tag)');
  expect(await drawn(cri(`registry/api@sha256:${digest}`))).toBe('abababababab (image_digest)');
  expect(await drawn(cri(`registry/api:latest@sha256:${digest}`))).toBe('abababababab (image_digest)');
  expect(await drawn(cri('registry/api:latest'))).toBe('none');
  const labels = JSON.stringify({ 'app.kubernetes.io/version': '7.0' });
  const named = { 'io.kubernetes.cri-o.ImageName': 'quay.io/a/b:3', 'io.kubernetes.cri-o.Labels': labels };
  expect(await drawn({ [crio]: { annotations: named } })).toBe('7.0 (kubernetes_label)');
  const ref = { 'io.kubernetes.cri-o.ImageName': 'b', 'io.kubernetes.cri-o.ImageRef': digest };
  expect(await drawn({ [crio]: { annotations: ref } })).toBe('abababababab (image_digest)');
  expect(await drawn({ [docker]: { Image: `sha256:${digest}`, Config: { Image: 'shop:2.1' } } })).toBe(
    '2.1 (image_tag)',
  );
  const ofImage = { 'org.opencontainers.image.version': '5.5' };
  expect(await drawn({ [docker]: { Image: `sha256:${digest}`, Config: { Image: 'shop', Labels: ofImage } } })).toBe(
    '5.5 (image_label)',
  );
});

test('the pod’s own label comes before its image', async () => {
  const podinfo = { 'etc/podinfo/labels': 'app="api"\napp.kubernetes.io/version="2.0.\\"1\\""\n' };
  const host = { [containerd]: { annotations: { 'io.kubernetes.cri.image-name': 'api:v9' } } };
  expect(await drawn(host, podinfo)).toBe('2.0."1" (kubernetes_label)');
});

test('records of another shape say nothing', async () => {
  for (const record of ['', '{', 'null', '[]', '{"annotations":7}', '{"Config":"x","Image":{}}', '"text"']) {
    expect(await drawn({ [containerd]: record, [docker]: record })).toBe('none');
  }
});

test('a tag is what stands behind the last colon of the name', () => {
  expect(tagOf('localhost:5000/api')).toBeUndefined();
  expect(tagOf('localhost:5000/api:1')).toBe('1');
  expect(tagOf(`sha256:${digest}`)).toBeUndefined();
});
