import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { LossCounters, type OutgoingProfile, record, startAgent } from '@everflame/agent';
import { decodeProfile } from '@everflame/profile';
import { afterAll, expect, test } from 'vitest';

import { Workloads } from '../workloads/compile.ts';
import { lossOfSamples, samplesOf, total } from './agent-samples.ts';

const workloads = new Workloads();
afterAll(() => workloads.remove());

/** Programs that differ by name and by the name of their only function, none of them seen by anybody before. */
function freshPrograms(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    workloads.compile('burn', { name: `${prefix}-${i}`, flags: [`-DBURN=${prefix}_work_${i}`] }),
  );
}

test('300 processes that live 5 ms are named right, and as much of each is seen as it used', async () => {
  const programs = freshPrograms('brief', 3);
  const report = join(workloads.folder, 'report');
  const script = `${workloads.compile('spawn-many')} 300 ${programs.join(' ')} -- 5000 > ${report}`;
  const recording = await record({
    frequencyHz: 99,
    target: { kind: 'command', command: 'sh', arguments: ['-c', script] },
    stdio: 'ignore',
  });
  expect(recording.exitCode).toBe(0);
  const samples = samplesOf(recording.profile);

  // Between its fork and its exec a child is still its parent's program.
  const expected = new Set(['sh', 'dash', 'bash', 'spawn-many', 'brief-0', 'brief-1', 'brief-2']);
  for (const { labels, functions } of samples) {
    const name = labels['process_executable_name'] ?? '';
    expect(expected).toContain(name);
    const work = functions.filter((each) => /^brief_work_\d$/u.test(each));
    expect(work.filter((each) => each !== name.replace('brief-', 'brief_work_'))).toEqual([]);
    // Whose code it is, is known for all but an end of a walk through code without frame pointers.
    expect(functions.slice(0, -1)).not.toContain('[unmapped]');
  }
  const pids = new Set(samples.map((each) => each.labels['process_pid']));
  expect(pids.size).toBeGreaterThan(100);

  for (const line of readFileSync(report, 'utf8').trim().split('\n')) {
    const [path = '', usedUs] = line.split(' ');
    const name = path.slice(path.lastIndexOf('/') + 1);
    const seen = total(samples.filter((each) => each.labels['process_executable_name'] === name));
    const expectedCount = Number(usedUs) / (Number(recording.profile.period) / 1e3);
    // Poisson at 99 %; and the kernel books to the child what it does before its exec (about 5 %), where it is spawn-many yet.
    const slack = 2.576 * Math.sqrt(expectedCount);
    expect(seen, `${name} of ${expectedCount}`).toBeGreaterThan(0.85 * expectedCount - slack);
    expect(seen, `${name} of ${expectedCount}`).toBeLessThan(expectedCount + slack);
    // Most of it is the work itself, by name.
    const working = samples.filter((each) => each.functions.some((fn) => fn === name.replace('brief-', 'brief_work_')));
    expect(total(working)).toBeGreaterThan(0.6 * seen);
  }
  expect(recording.losses.filter((row) => row.total > 0 && lossOfSamples.has(row.name))).toEqual([]);
});

test('a program that is deleted while its last process runs is named', async () => {
  const [program = ''] = freshPrograms('deleted', 1);
  // Not before it is executed: on a busy machine the shell is quicker than its child.
  const script = `${program} 800000 & until [ /proc/$!/exe -ef ${program} ]; do :; done; rm ${program}; wait`;
  const { profile } = await record({
    frequencyHz: 99,
    target: { kind: 'command', command: 'sh', arguments: ['-c', script] },
    stdio: 'ignore',
  });
  const own = samplesOf(profile).filter((each) => each.labels['process_executable_name'] === 'deleted-0');
  expect(total(own)).toBeGreaterThan(50);
  expect(total(own.filter((each) => each.functions.includes('deleted_work_0')))).toBeGreaterThan(0.9 * total(own));
});

test('a program in a root directory of its own is named by its own files', async () => {
  const root = join(workloads.folder, 'root');
  mkdirSync(root);
  // What is at the same path outside must not be taken for it.
  const decoy = workloads.compile('burn', { name: 'decoy', flags: ['-DBURN=decoy_work', '-static'] });
  const jailed = workloads.compile('burn', { name: 'jailed-static', flags: ['-DBURN=jailed_work', '-static'] });
  execFileSync('cp', [jailed, join(root, 'same-path')]);
  const outside = '/same-path';
  execFileSync('cp', [decoy, outside]);
  try {
    const { profile } = await record({
      frequencyHz: 99,
      target: { kind: 'command', command: 'chroot', arguments: [root, '/same-path', '800000'] },
      stdio: 'ignore',
    });
    const own = samplesOf(profile).filter((each) => each.labels['process_executable_name'] === 'same-path');
    expect(total(own)).toBeGreaterThan(50);
    expect(total(own.filter((each) => each.functions.includes('jailed_work')))).toBeGreaterThan(0.9 * total(own));
    expect(own.some((each) => each.functions.includes('decoy_work'))).toBe(false);
  } finally {
    execFileSync('rm', [outside]);
  }
});

test('100 short-lived processes a second are one series of the agent', async () => {
  const [program = ''] = freshPrograms('storm', 1);
  const spawnMany = workloads.compile('spawn-many');
  const losses = new LossCounters();
  const shipped: OutgoingProfile[] = [];
  const agent = await startAgent({
    frequencyHz: 99,
    intervalMs: 2000,
    hostName: 'test-host',
    losses,
    shipper: {
      async enqueue(profiles) {
        shipped.push(...profiles);
      },
    },
  });
  execFileSync(spawnMany, ['300', program, '--', '5000']);
  await agent.stop();

  const storm = shipped.filter((each) => each.labels['process_executable_name'] === 'storm-0');
  const keys = new Set(
    storm.map((each) => JSON.stringify(Object.entries(each.labels).toSorted(([a], [b]) => a.localeCompare(b)))),
  );
  expect([...keys]).toHaveLength(1);
  const samples = storm.flatMap((each) => {
    const decoded = decodeProfile(each.pprof);
    return decoded.ok ? samplesOf(decoded.profile) : [];
  });
  expect(new Set(samples.map((each) => each.labels['process_pid'])).size).toBeGreaterThan(70);
});
