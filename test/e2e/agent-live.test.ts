import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { LossCounters, type OutgoingProfile, startAgent } from '@everflame/agent';
import { checkValid, decodeProfile, type Profile } from '@everflame/profile';
import { afterAll, expect, test } from 'vitest';

import { descriptorInfo } from '../support/kernel-holdings.ts';
import { Workloads } from '../workloads/compile.ts';
import { countBy, lossOfSamples, samplesOf, total } from './agent-samples.ts';

const workloads = new Workloads();
afterAll(() => workloads.remove());

interface Shipped {
  readonly atMs: number;
  readonly labels: OutgoingProfile['labels'];
  readonly profile: Profile;
}

/** An agent whose profiles are kept in memory, as the server would see them. */
async function keepingAgent(intervalMs: number): Promise<{
  readonly shipped: Shipped[];
  readonly losses: LossCounters;
  readonly agent: Awaited<ReturnType<typeof startAgent>>;
}> {
  const shipped: Shipped[] = [];
  const losses = new LossCounters();
  const agent = await startAgent({
    frequencyHz: 99,
    intervalMs,
    hostName: 'test-host',
    losses,
    log: (message) => console.error(message),
    shipper: {
      async enqueue(profiles) {
        for (const { labels, pprof } of profiles) {
          const decoded = decodeProfile(pprof);
          if (!decoded.ok) throw new Error(decoded.error.message);
          shipped.push({ atMs: Date.now(), labels, profile: decoded.profile });
        }
      },
    },
  });
  return { shipped, losses, agent };
}

test('profiles come at multiples of the interval, one for each series, and stop ships the last one', async () => {
  const intervalMs = 1000;
  const { shipped, losses, agent } = await keepingAgent(intervalMs);
  const burner = spawn(workloads.compile('burn'), ['60000000'], { stdio: 'ignore' });
  const burns = (): Shipped[] => shipped.filter((each) => each.labels['process_executable_name'] === 'burn');
  try {
    await expect.poll(() => burns().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    const before = burns().length;
    await expect.poll(() => agent.status().sampled).toBeGreaterThan(0);
    expect(agent.status().cpus.length).toBeGreaterThan(0);
    await agent.stop();
    expect(burns().length).toBeGreaterThan(before);
  } finally {
    burner.kill('SIGKILL');
  }

  for (const { labels, profile } of shipped) {
    expect(checkValid(profile)).toBeNull();
    expect(labels['__name__']).toBe('process_cpu');
    expect(labels['host_name']).toBe('test-host');
    expect(profile.period).toBe(10_101_010n);
    expect(profile.samples.length).toBeGreaterThan(0);
  }
  const intervals = burns().map(({ profile }) => [
    Number(profile.timeNanos) / 1e6,
    Number(profile.durationNanos) / 1e6,
  ]);
  for (const [start = 0, duration = 0] of intervals.slice(1, -1)) {
    expect(start % intervalMs).toBe(0);
    expect(Math.abs(duration - intervalMs)).toBeLessThan(20);
  }
  // The first and the last are as long as the agent was there (up to 5 % before a boundary belong to what follows), and no interval is shipped twice.
  expect(new Set(intervals.map(([start]) => start)).size).toBe(intervals.length);
  const [first] = shipped;
  const last = burns().at(-1);
  expect(first?.profile.durationNanos).toBeLessThanOrEqual(1_060_000_000n);
  expect(last?.profile.durationNanos).toBeLessThanOrEqual(1_060_000_000n);

  const rows = losses.rows().filter((row) => row.total > 0 && lossOfSamples.has(row.name));
  expect(rows).toEqual([]);
});

test('the agent shows itself like any other process', async () => {
  const { shipped, agent } = await keepingAgent(1000);
  const untilMs = Date.now() + 1000;
  while (Date.now() < untilMs) {
    const turnMs = Date.now() + 5;
    while (Date.now() < turnMs);
    await new Promise(setImmediate);
  }
  await agent.stop();
  const own = shipped.flatMap(({ labels, profile }) =>
    labels['process_executable_name'] === 'node' ? samplesOf(profile) : [],
  );
  expect(countBy(own, 'process_pid')[String(process.pid)]).toBeGreaterThan(20);
});

test('an interval without samples ships nothing, and nothing is left of a stopped agent', async () => {
  const handles = (): string[] =>
    readdirSync('/proc/self/fd')
      .map((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`);
        } catch (error) {
          // The descriptor of this very listing.
          if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
          throw error;
        }
      })
      .filter((link) => /bpf|perf_event/u.test(link));
  const mapped = (): number =>
    readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => /bpf|perf_event/u.test(line)).length;
  const before = [handles().length, mapped()];
  const { agent } = await keepingAgent(1000);
  expect(handles().length).toBeGreaterThan(before[0] ?? 0);
  expect(mapped()).toBeGreaterThan(before[1] ?? 0);
  await agent.stop();
  expect([handles().length, mapped()]).toEqual(before);
});

test('kill -9 of a recording process leaves no BPF program in the kernel', async () => {
  const exists = workloads.compile('bpf-program-exists');
  const script = `
    import { record } from '@everflame/agent';
    setTimeout(() => console.log('recording'), 500);
    await record({ frequencyHz: 99, target: { kind: 'all' } });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const status = (id: string): number | null => spawnSync(exists, [id]).status;
  let ids: string[];
  try {
    await once(createInterface({ input: child.stdout }), 'line');
    ids = programIds(child.pid ?? 0);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.map(status)).toEqual(ids.map(() => 0));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  // The kernel frees a program once its last run is surely over.
  await expect.poll(() => ids.map(status), { timeout: 10_000 }).toEqual(ids.map(() => 1));
});

/** Ids of the BPF programs that a process holds. */
function programIds(pid: number): string[] {
  const ids = readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => {
    const found = /^prog_id:\s*(\d+)$/mu.exec(descriptorInfo(pid, fd));
    return found?.[1] === undefined ? [] : [found[1]];
  });
  return [...new Set(ids)];
}

test('over all intervals, a process that uses three seconds of CPU has three seconds of samples', async () => {
  const { shipped, agent } = await keepingAgent(1000);
  const burner = spawn(workloads.compile('burn', { name: 'pace' }), ['3000000'], { stdio: 'ignore' });
  await once(burner, 'exit');
  await agent.stop();
  const samples = shipped.flatMap(({ labels, profile }) =>
    labels['process_executable_name'] === 'pace' ? samplesOf(profile) : [],
  );
  expect(Math.abs(total(samples) - 297)).toBeLessThan(2.576 * Math.sqrt(297));
});
