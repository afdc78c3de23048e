/** What a cgroup path tells. Empty strings where it tells nothing. */
export interface CgroupFacts {
  /** As the container engine names it: 64 hex digits, an ECS task's id, or the name of an LXC container. */
  readonly containerId: string;
  /** For example `nginx.service`; that inside the container where there is one. */
  readonly systemdUnit: string;
  /** Below `kubepods`. */
  readonly isPod: boolean;
}

export const noCgroupFacts: CgroupFacts = { containerId: '', systemdUnit: '', isPod: false };

/** The paths of /proc/PID/cgroup. */
export interface CgroupFile {
  /** Of the unified hierarchy (v2), the one that the kernel's cgroup ids are of; '/' when it is not used, undefined without one. */
  readonly unified: string | undefined;
  /** All paths, the unified one first, then systemd's, then those of v1's controllers. */
  readonly paths: readonly string[];
}

/** Parses lines of `hierarchy:controllers:path` (cgroups(7)). Other lines are ignored. */
export function parseCgroupFile(text: string): CgroupFile {
  let unified: string | undefined;
  const systemd: string[] = [];
  const others: string[] = [];
  for (const line of text.split('\n', 64)) {
    const [, hierarchy, controllers, path] = /^(\d{1,9}):([^:]{0,256}):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const live = path.replace(/ \(deleted\)$/, '');
    if (hierarchy === '0' && controllers === '') unified = live;
    else if (controllers === 'name=systemd') systemd.push(live);
    else others.push(live);
  }
  return { unified, paths: [...(unified === undefined ? [] : [unified]), ...systemd, ...others] };
}

/** Of several paths (v1 has one for each controller), the first that tells a fact tells it. */
export function factsOfCgroupPaths(paths: readonly string[]): CgroupFacts {
  const facts = paths.map(factsOfPath);
  return {
    containerId: facts.find((each) => each.containerId !== '')?.containerId ?? '',
    systemdUnit: facts.find((each) => each.systemdUnit !== '')?.systemdUnit ?? '',
    isPod: facts.some((each) => each.isPod),
  };
}

/** A path longer than this many components is not looked at further. The kernel's own limit of a path is 4,096 bytes. */
const maxComponents = 64;

function factsOfPath(path: string): CgroupFacts {
  const components = path.split('/', maxComponents);
  let containerId = '';
  let systemdUnit = '';
  let isPod = false;
  // Innermost first: in a cluster that itself runs in containers, the innermost container is the one.
  for (let index = components.length - 1; index >= 0; index--) {
    const component = components[index] ?? '';
    isPod ||= component.startsWith('kubepods');
    if (containerId !== '') continue;
    containerId = containerIdOf(component, components[index - 1] ?? '');
    // A unit outside the container is that of the engine.
    if (containerId === '' && systemdUnit === '' && unitPattern.test(component)) systemdUnit = component;
  }
  return { containerId, systemdUnit, isPod };
}

const unitPattern = /^[\w:.@\\-]{1,255}\.(?:service|mount|swap|socket)$/;
/** Docker, containerd, CRI-O, Podman and nerdctl, with systemd's `.scope` or without. conmon only watches a container. */
const enginePattern = /^(?:[a-z][a-z-]{0,30}-)?(?<!conmon-)(?<id>[0-9a-f]{64})(?:\.scope)?$/;
/** Amazon ECS: the task's 32 hex digits and a number. */
const ecsPattern = /^[0-9a-f]{32}-[0-9]{1,12}$/;
const lxcPattern = /^lxc\.payload\.([\w.-]{1,128})$/;

function containerIdOf(component: string, parent: string): string {
  // runc below a cgroup driver that disagrees: `kubepods-….slice:cri-containerd:ID`.
  const last = component.slice(component.lastIndexOf(':') + 1);
  const id = enginePattern.exec(last)?.groups?.['id'];
  if (id !== undefined) return id;
  if (ecsPattern.test(component)) return component;
  const payload = lxcPattern.exec(component)?.[1];
  if (payload !== undefined) return payload;
  return parent === 'lxc' && /^[\w.-]{1,128}$/.test(component) ? component : '';
}

/**
 * The name that a unit gives to a service: without `.service`, and without the instance of a template, since
 * `worker@1.service` and `worker@2.service` are one service (the label `systemd_unit` has the whole). '' for units whose
 * names say nothing: those that systemd-run makes up.
 */
export function serviceOfUnit(unit: string): string {
  const name = unit.replace(/\.service$/, '').replace(/@.*$/, '');
  if (/^run-[a-z]?[0-9a-f]{1,32}$/.test(name)) return '';
  // systemd.unit(5): `\x2d` stands for a dash.
  return name.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
