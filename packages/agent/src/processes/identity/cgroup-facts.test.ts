import { expect, test } from 'vitest';
import { factsOfCgroupPaths, parseCgroupFile, serviceOfUnit } from './cgroup-facts.ts';

const id = '1f2e3d4c5b6a79880123456789abcdef1f2e3d4c5b6a79880123456789abcdef';
const inner = 'aaaaaaaabbbbbbbbccccccccddddddddaaaaaaaabbbbbbbbccccccccdddddddd';

/** Draws facts as one line. */
function facts(...paths: string[]): string {
  const { containerId, systemdUnit, isPod } = factsOfCgroupPaths(paths);
  const container = containerId.replace(id, 'ID').replace(inner, 'INNER');
  return [container && `container ${container}`, systemdUnit && `unit ${systemdUnit}`, isPod && 'pod']
    .filter(Boolean)
    .join(', ');
}

test.each([
  ['docker, cgroupfs driver', `/docker/${id}`, 'container ID'],
  ['docker, systemd driver', `/system.slice/docker-${id}.scope`, 'container ID'],
  ['podman', `/machine.slice/libpod-${id}.scope/container`, 'container ID'],
  ['podman, rootless', `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`, 'container ID'],
  ['nerdctl', `/system.slice/nerdctl-${id}.scope`, 'container ID'],
  ['kubernetes, cgroupfs driver', `/kubepods/besteffort/pod6f1d/${id}`, 'container ID, pod'],
  [
    'kubernetes, containerd under systemd',
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod6f1d.slice/cri-containerd-${id}.scope`,
    'container ID, pod',
  ],
  ['kubernetes, CRI-O', `/kubepods.slice/kubepods-pod6f1d.slice/crio-${id}.scope`, 'container ID, pod'],
  [
    'runc where engine and runtime disagree about the driver',
    `/system.slice/containerd.service/kubepods-besteffort-pod6f1d.slice:cri-containerd:${id}`,
    'container ID, pod',
  ],
  ['what watches a container is not in it', `/kubepods.slice/crio-conmon-${id}.scope`, 'pod'],
  ['podman’s watcher neither', `/machine.slice/libpod-conmon-${id}.scope`, ''],
  [
    'systemd inside a container',
    `/system.slice/docker-${id}.scope/system.slice/nginx.service`,
    'container ID, unit nginx.service',
  ],
  ['init scope inside a container', `/docker/${id}/init.scope`, 'container ID'],
  ['kind: a cluster inside a container', `/docker/${id}/kubelet/kubepods/pod6f1d/${inner}`, 'container INNER, pod'],
  [
    'Amazon ECS',
    '/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-1234567890',
    'container 0123456789abcdef0123456789abcdef-1234567890',
  ],
  ['LXC', '/lxc.payload.web-1/system.slice/nginx.service', 'container web-1, unit nginx.service'],
  ['LXC, old', '/lxc/web-1', 'container web-1'],
  ['a private cgroup namespace, seen from beside it', `/../${id}`, 'container ID'],
  ['a systemd service', '/system.slice/nginx.service', 'unit nginx.service'],
  ['a delegated cgroup below a service', '/system.slice/nginx.service/workers/3', 'unit nginx.service'],
  ['a template', '/system.slice/system-postgresql.slice/postgresql@15-main.service', 'unit postgresql@15-main.service'],
  ['a user’s service', '/user.slice/user-1000.slice/user@1000.service/app.slice/sync.service', 'unit sync.service'],
  ['a session', '/user.slice/user-1000.slice/session-3.scope', ''],
  ['the root', '/', ''],
  ['32 hex digits alone are any directory', '/process_api/23062a40c08fff81f28889de1c726b3a', ''],
  ['63 hex digits', `/docker/${id.slice(1)}`, ''],
])('%s', (_, path, expected) => {
  expect(facts(path)).toBe(expected);
});

test('cgroup v2 alone', () => {
  expect(parseCgroupFile('0::/system.slice/nginx.service\n')).toEqual({
    unified: '/system.slice/nginx.service',
    paths: ['/system.slice/nginx.service'],
  });
});

test('v1 beside v2: the unified path first, then systemd’s; a controller’s path may tell the container', () => {
  const file = parseCgroupFile(
    `4:memory:/docker/${id}\n1:name=systemd:/system.slice/docker.service\n3:cpu,cpuacct:/a:b\n0::/\nnonsense\n`,
  );
  expect(file).toEqual({ unified: '/', paths: ['/', '/system.slice/docker.service', `/docker/${id}`, '/a:b'] });
  expect(facts(...file.paths)).toBe('container ID, unit docker.service');
});

test('a cgroup that was removed under its last process keeps its path', () => {
  expect(parseCgroupFile('0::/system.slice/nginx.service (deleted)\n').unified).toBe('/system.slice/nginx.service');
});

test('a hostile path of any length takes no time', () => {
  const beganMs = performance.now();
  facts(`/${'a-'.repeat(100_000)}`, `/${'kubepods/'.repeat(100_000)}`, `/${'\\'.repeat(100_000)}.servic`);
  parseCgroupFile(`0::/${'x'.repeat(1_000_000)}\n${'1:'.repeat(1_000_000)}`);
  expect(performance.now() - beganMs).toBeLessThan(500);
});

test.each([
  ['nginx.service', 'nginx'],
  ['postgresql@15-main.service', 'postgresql'],
  ['my\\x2dapp.service', 'my-app'],
  ['run-u42.service', ''],
  ['run-r0123456789abcdef0123456789abcdef.service', ''],
  ['runner.service', 'runner'],
  ['data.mount', 'data.mount'],
])('the service of unit %s is %j', (unit, service) => {
  expect(serviceOfUnit(unit)).toBe(service);
});
