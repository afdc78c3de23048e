import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkLabels } from '@everflame/profile';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LossCounters } from '../../health/counters.ts';
import { ProcessContext } from '../process-context.ts';
import type { ProcessView } from '../process.ts';
import { CgroupTree } from './cgroup-tree.ts';
import { createIdentitySource } from './create-identity-source.ts';

const id = '1f2e3d4c5b6a79880123456789abcdef1f2e3d4c5b6a79880123456789abcdef';
let procRoot: string;
let losses: LossCounters;
let nowMs = 0;

beforeEach(() => {
  procRoot = mkdtempSync(path.join(tmpdir(), 'everflame-proc-'));
  losses = new LossCounters();
  const hierarchy = path.join(procRoot, '1/root/sys/fs/cgroup');
  mkdirSync(hierarchy, { recursive: true });
  for (const file of ['cgroup.procs', 'cgroup.controllers']) writeFileSync(path.join(hierarchy, file), '');
});
afterEach(() => rmSync(procRoot, { recursive: true }));

const source = () => createIdentitySource({ hostName: 'host-a', procRoot, losses, nowMs: () => nowMs });

const view = (pid: number, more: Partial<ProcessView> = {}): ProcessView => ({
  pid,
  namespacePid: pid,
  startTimeNs: 0n,
  executablePath: '/usr/bin/tool',
  executableName: 'tool',
  mappings: [],
  isKernelThread: false,
  ...more,
});

/** Makes /proc/PID. */
function give(pid: number, environment: readonly string[], cgroup = '0::/\n'): ProcessView {
  const folder = path.join(procRoot, String(pid));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'environ'), environment.map((entry) => `${entry}\0`).join(''));
  writeFileSync(path.join(folder, 'cgroup'), cgroup);
  return view(pid);
}

/** Makes a cgroup directory; its inode number is its id. */
function giveCgroup(cgroup: string): bigint {
  const directory = path.join(procRoot, '1/root/sys/fs/cgroup', cgroup);
  mkdirSync(directory, { recursive: true });
  return statSync(directory, { bigint: true }).ino;
}

const gone = () => losses.rows().find((row) => row.cause === 'process_gone')?.total;

test('environment, then container, then systemd unit, then executable name the service', () => {
  const identity = source();
  const cgroup = `0::/system.slice/docker-${id}.scope\n`;
  const base = { host_name: 'host-a', process_executable_name: 'tool' };
  const named = [
    'OTEL_SERVICE_NAME=api',
    'OTEL_RESOURCE_ATTRIBUTES=service.version=v2,deployment.environment.name=prod',
  ];
  expect(identity.identify(give(10, [...named, 'SECRET=x'], cgroup), 0n)).toEqual({
    ...base,
    service_name: 'api',
    service_version: 'v2',
    deployment_environment_name: 'prod',
    container_id: id,
  });
  expect(identity.identify(give(11, ['HOSTNAME=web'], cgroup), 0n)).toEqual({
    ...base,
    service_name: 'web',
    container_id: id,
  });
  const byId = { ...base, service_name: id.slice(0, 12), container_id: id };
  expect(identity.identify(give(12, [`HOSTNAME=${id.slice(0, 12)}`], cgroup), 0n)).toEqual(byId);
  expect(identity.identify(give(13, ['HOSTNAME=host-a'], cgroup), 0n)).toEqual(byId);
  expect(identity.identify(give(14, ['HOSTNAME=web'], '0::/system.slice/nginx.service\n'), 0n)).toEqual({
    ...base,
    service_name: 'nginx',
    systemd_unit: 'nginx.service',
  });
  expect(identity.identify(give(15, ['HOSTNAME=web']), 0n)).toEqual({ ...base, service_name: 'tool' });
  expect(gone()).toBe(0);
});

test('a pod is named by its workload', () => {
  const environment = ['HOSTNAME=api-7d9c5b9f4d-x2k8p', 'POD_NAMESPACE=shop', 'KUBERNETES_SERVICE_HOST=10.0.0.1'];
  const process = give(10, environment, `0::/kubepods/besteffort/pod6f1d/${id}\n`);
  expect(source().identify(process, 0n)).toEqual({
    service_name: 'api',
    host_name: 'host-a',
    process_executable_name: 'tool',
    container_id: id,
    k8s_namespace_name: 'shop',
    k8s_pod_name: 'api-7d9c5b9f4d-x2k8p',
  });
});

test('whatever an environment holds, the labels are such as a server takes', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 600 }),
    fc.constantFrom('a'.repeat(5000), '\u{1f525}'.repeat(400)),
  );
  const value = text.map((each) => each.replaceAll('\0', ' '));
  const identity = source();
  fc.assert(
    fc.property(value, value, value, value, (service, attributes, hostName, executableName) => {
      const environment = [`OTEL_SERVICE_NAME=${service}`, `OTEL_RESOURCE_ATTRIBUTES=service.version=${attributes}`];
      const process = give(10, [...environment, `HOSTNAME=${hostName}`], `0::/docker/${id}\n`);
      const labels = identity.identify({ ...process, executableName }, 0n);
      expect(checkLabels(labels)).toMatchObject({ ok: true });
      expect(labels['service_name']).not.toBe('');
    }),
    { numRuns: 300 },
  );
});

test('kernel threads are one service with a series for each kind', () => {
  const identity = source();
  const names = ['[kworker/3:1-events]', '[kworker/u8:2]', '[ksoftirqd/0]', '[kswapd0]', '[irq/24-nvme0q1]'];
  const labels = names.map((executableName) =>
    identity.identify(view(5, { executableName, isKernelThread: true }), 1n),
  );
  expect(labels.map((each) => each['process_executable_name'])).toEqual([
    '[kworker]',
    '[kworker]',
    '[ksoftirqd]',
    '[kswapd0]',
    '[irq]',
  ]);
  expect(new Set(labels.map((each) => each['service_name']))).toEqual(new Set(['kernel']));
  expect(labels[0]).toBe(labels[1]);
});

test('a child that is gone is in the series in which it would be: its parent’s environment, its own program', () => {
  const identity = source();
  const parent = give(10, ['OTEL_SERVICE_NAME=api', 'OTEL_RESOURCE_ATTRIBUTES=service.version=v2']);
  const parentLabels = identity.identify(parent, 0n);
  const read = identity.identify(
    give(11, ['OTEL_SERVICE_NAME=api', 'OTEL_RESOURCE_ATTRIBUTES=service.version=v2']),
    0n,
  );
  const missed = identity.identify(view(12), 0n, parentLabels);
  expect(missed).toBe(read);
  // Through generations that were all missed.
  expect(identity.identify(view(13), 0n, missed)).toBe(read);
  expect(gone()).toBe(2);
});

test('a child that is gone has its own name where its parent was named by its own', () => {
  const identity = source();
  const parent = identity.identify({ ...give(10, ['PATH=/bin']), executableName: 'bash' }, 0n);
  expect(parent['service_name']).toBe('bash');
  expect(identity.identify(view(11), 0n, parent)['service_name']).toBe('tool');
});

test('a process that is gone is placed by the id of its cgroup, and inherits nothing from outside its container', () => {
  const identity = source();
  const cgroupId = giveCgroup(`/system.slice/docker-${id}.scope`);
  const engine = identity.identify(give(10, ['OTEL_SERVICE_NAME=engine'], '0::/system.slice/docker.service\n'), 0n);
  expect(identity.identify(view(11), cgroupId, engine)).toMatchObject({
    service_name: id.slice(0, 12),
    container_id: id,
  });
  // Once one process of the container was read, the others are known by it.
  identity.identify(give(12, ['OTEL_SERVICE_NAME=web'], `0::/system.slice/docker-${id}.scope\n`), cgroupId);
  expect(identity.identify(view(13), cgroupId, engine)).toMatchObject({ service_name: 'web', container_id: id });
});

test('a cgroup that is gone too is remembered from the processes that were read in it', () => {
  const identity = source();
  const cgroupId = giveCgroup('/system.slice/job.service');
  identity.identify(give(10, ['PATH=/bin'], '0::/system.slice/job.service\n'), cgroupId);
  rmSync(path.join(procRoot, '1/root/sys/fs/cgroup/system.slice'), { recursive: true });
  expect(identity.identify(view(11), cgroupId)).toMatchObject({ service_name: 'job', systemd_unit: 'job.service' });
});

test('a process that moved after its sample does not teach a wrong path for the id of that sample', () => {
  const identity = source();
  const sampleId = giveCgroup('/system.slice/old.service');
  giveCgroup('/system.slice/new.service');
  identity.identify(give(10, ['PATH=/bin'], '0::/system.slice/new.service\n'), sampleId);
  expect(identity.identify(view(11), sampleId)).toMatchObject({ systemd_unit: 'old.service' });
});

test('the hierarchy is walked at most once a second for ids that it does not know', () => {
  const identity = source();
  expect(identity.identify(view(10), 999n)['systemd_unit']).toBeUndefined();
  const cgroupId = giveCgroup('/system.slice/late.service');
  expect(identity.identify(view(11), cgroupId)['systemd_unit']).toBeUndefined();
  nowMs += 1000;
  expect(identity.identify(view(11), cgroupId)['systemd_unit']).toBe('late.service');
});

test('with v1 in use, the root of the unified hierarchy tells nothing, and each process is read by itself', () => {
  const identity = source();
  const rootId = giveCgroup('/');
  const docker = identity.identify(give(10, ['PATH=/bin'], `0::/\n4:memory:/docker/${id}\n`), rootId);
  expect(docker['container_id']).toBe(id);
  expect(identity.identify(give(11, ['PATH=/bin'], '0::/\n4:memory:/\n'), rootId)['container_id']).toBeUndefined();
  // Gone: a fork stays in the cgroup of its parent.
  expect(identity.identify(view(12), rootId, docker)['container_id']).toBe(id);
});

test('a process under a PID that was given anew is not read in the place of the one that is gone', async () => {
  const child = spawn('/bin/sleep', ['1000'], { env: { OTEL_SERVICE_NAME: 'newcomer' } });
  try {
    await once(child, 'spawn');
    const identity = createIdentitySource({ hostName: 'host-a', losses });
    const pid = child.pid ?? 0;
    const startTimeNs = process.hrtime.bigint();
    expect(identity.identify(view(pid, { startTimeNs }), 0n)['service_name']).toBe('newcomer');
    const before = view(pid, { startTimeNs: startTimeNs - 60_000_000_000n });
    expect(identity.identify(before, 0n)['service_name']).toBe('tool');
    expect(gone()).toBe(1);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

test('a zombie counts as gone, an empty environment does not', async () => {
  // The child ends when its parent has become a program that never waits for it.
  const script = '(while [ "$(cat /proc/$$/comm)" != sleep ]; do :; done) & echo $!; exec env -i sleep 1000';
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const zombie = Number(line.toString());
    const identity = createIdentitySource({ hostName: 'host-a', losses });
    await until(() => /^State:\tZ/m.test(readFileSync(`/proc/${zombie}/status`, 'utf8')));
    await until(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n');
    identity.identify(view(zombie), 0n);
    expect(gone()).toBe(1);
    identity.identify(view(child.pid ?? 0), 0n);
    expect(gone()).toBe(1);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

async function ended(child: ChildProcessWithoutNullStreams, exited: Promise<unknown>): Promise<void> {
  child.stdin.end();
  await exited;
}

test('a hundred short-lived processes a second are one series, whether they were read in time or not', async () => {
  const variables = { OTEL_SERVICE_NAME: 'batch', OTEL_RESOURCE_ATTRIBUTES: 'service.version=v1' };
  const parent = spawn('/bin/sleep', ['1000'], { env: variables });
  await once(parent, 'spawn');
  const identity = createIdentitySource({ hostName: 'host-a', losses });
  const parentLabels = identity.identify(view(parent.pid ?? 0, { executableName: 'sleep' }), 0n);
  const seen = new Set<unknown>();
  try {
    for (let index = 0; index < 100; index++) {
      const child = spawn('/bin/cat', { env: variables });
      const exited = once(child, 'exit');
      // It runs: for a moment of its execve there is no environment yet.
      child.stdin.write('x');
      await once(child.stdout, 'data');
      const isGone = index % 2 === 1;
      if (isGone) await ended(child, exited);
      seen.add(identity.identify(view(child.pid ?? 0, { executableName: 'cat' }), 0n, parentLabels));
      if (!isGone) await ended(child, exited);
    }
  } finally {
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  }
  expect([...seen]).toEqual([
    expect.objectContaining({ service_name: 'batch', service_version: 'v1', process_executable_name: 'cat' }),
  ]);
  expect(gone()).toBeGreaterThanOrEqual(50);
});

const liveRoot = new CgroupTree('/proc', () => 0).root;

test.skipIf(liveRoot === undefined || process.getuid?.() !== 0)(
  'a real process in a real cgroup is known by the cgroup’s id after both are gone',
  async () => {
    const directory = `${liveRoot}/everflame-test-${process.pid}.service`;
    mkdirSync(directory);
    const cgroupId = statSync(directory, { bigint: true }).ino;
    const child = spawn('/bin/sleep', ['1000']);
    const identity = createIdentitySource({ hostName: 'host-a', losses });
    try {
      await once(child, 'spawn');
      writeFileSync(`${directory}/cgroup.procs`, String(child.pid));
      expect(identity.identify(view(child.pid ?? 0), cgroupId)['service_name']).toBe(`everflame-test-${process.pid}`);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await until(() => readFileSync(`${directory}/cgroup.procs`, 'utf8') === '');
      rmdirSync(directory);
    }
    expect(identity.identify(view(child.pid ?? 0), cgroupId)['systemd_unit']).toBe(path.basename(directory));
    expect(gone()).toBe(1);
  },
);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => void setImmediate(resolve));
}

/** An executable mapping as the kernel's record tells it. */
function running(executableName: string, buildId: string): Partial<ProcessView> {
  const executablePath = `/srv/${executableName}`;
  const mapping = {
    start: 0x1000n,
    end: 0x2000n,
    fileOffset: 0n,
    path: executablePath,
    device: '1:1',
    inode: 1n,
    buildId,
  };
  return { executablePath, executableName, mappings: [mapping] };
}

test('a service has the version of its program, whatever helpers it starts; a new build has its own', async () => {
  const identity = source();
  const unit = '0::/system.slice/shop.service\n';
  const build = { one: 'aaaaaaaaaaaaaaaaaaaa', two: 'bbbbbbbbbbbbbbbbbbbb', convert: 'cccccccccccccccccccc' };
  const drawn = async (labels: Readonly<Record<string, string>>) => {
    const {
      service_name: name = '',
      service_version: version = '-',
      service_version_source: from = '-',
    } = await identity.complete(labels);
    return `${name} ${version} ${from}`;
  };
  const shell = identity.identify({ ...give(10, [], unit), ...running('bash', 'dddddddddddddddddddd') }, 0n);
  const main = identity.identify({ ...give(11, [], unit), ...running('shop', build.one) }, 0n, shell);
  const helper = identity.identify({ ...give(12, [], unit), ...running('convert', build.convert) }, 0n, main);
  const upgraded = identity.identify({ ...give(13, [], unit), ...running('shop', build.two) }, 0n, main);
  const missed = identity.identify({ ...view(14), ...running('convert', build.convert) }, 0n, upgraded);
  expect([
    await drawn(shell),
    await drawn(main),
    await drawn(helper),
    await drawn(upgraded),
    await drawn(missed),
  ]).toEqual([
    'shop - -',
    'shop aaaaaaaaaaaa build_id',
    'shop aaaaaaaaaaaa build_id',
    'shop bbbbbbbbbbbb build_id',
    'shop bbbbbbbbbbbb build_id',
  ]);
  // Outside of a unit each program is a service by its own name.
  const alone = identity.identify({ ...give(15, []), ...running('convert', build.convert) }, 0n, main);
  expect(await drawn(alone)).toBe('convert cccccccccccc build_id');
  expect(await identity.complete(main)).toBe(await identity.complete(main));
});

test('what a process says of itself is its version, without a source', async () => {
  const identity = source();
  const said = ['OTEL_SERVICE_NAME=api', 'OTEL_RESOURCE_ATTRIBUTES=service.version=v2'];
  const labels = identity.identify({ ...give(10, said), ...running('api', 'aaaaaaaaaaaaaaaaaaaa') }, 0n);
  expect(await identity.complete(labels)).toBe(labels);
  expect(labels).toMatchObject({ service_version: 'v2' });
  const tagged = identity.identify(
    give(11, ['OTEL_RESOURCE_ATTRIBUTES=container.image.tags=1.7,container.id=abc']),
    0n,
  );
  expect(await identity.complete(tagged)).toMatchObject({
    service_version: '1.7',
    service_version_source: 'image_tag',
  });
});

test('what a process has published of its resource goes before its environment, but for a name that nobody has given', () => {
  const folder = path.join(procRoot, '7');
  mkdirSync(folder);
  writeFileSync(
    path.join(folder, 'environ'),
    'OTEL_SERVICE_NAME=environment\0OTEL_RESOURCE_ATTRIBUTES=service.version=1\0',
  );
  writeFileSync(path.join(folder, 'stat'), `7 (tool) S ${'0 '.repeat(50)}`);
  writeFileSync(path.join(folder, 'cgroup'), '0::/\n');
  const labelsWith = (resource: readonly (readonly [string, string])[]): Record<string, string | undefined> => {
    const context = Object.assign(new ProcessContext(0, 0), { resource: new Map(resource) });
    const { service_name, service_version } = source().identify(view(7, { context }), 0n);
    return { service_name, service_version };
  };
  expect(labelsWith([])).toEqual({ service_name: 'environment', service_version: '1' });
  expect(labelsWith([['service.name', 'published']])).toEqual({ service_name: 'published', service_version: '1' });
  expect(labelsWith([['service.version', '2']])).toEqual({ service_name: 'environment', service_version: '2' });
  const unknown = labelsWith([['service.name', 'unknown_service:tool']]);
  expect(unknown).toEqual({ service_name: 'environment', service_version: '1' });
});
