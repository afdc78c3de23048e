import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { record, RecordFailure, type Recording } from '@everflame/agent';
import { checkValid, type Profile } from '@everflame/profile';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Workloads } from '../workloads/compile.ts';
import { countBy, halfWidth99, lossOfSamples, samplesOf, total, totalsByFunction } from './agent-samples.ts';

const workloads = new Workloads();
let burnOne = '';
let burnTwo = '';
let spawnMany = '';
beforeAll(() => {
  burnOne = workloads.compile('burn', { name: 'burn-one', flags: ['-DBURN=burn_one'] });
  burnTwo = workloads.compile('burn', { name: 'burn-two', flags: ['-DBURN=burn_two'] });
  spawnMany = workloads.compile('spawn-many');
});
afterAll(() => workloads.remove());

async function recordCommand(command: string, ...args: string[]): Promise<Recording> {
  return record({
    frequencyHz: 99,
    target: { kind: 'command', command, arguments: args },
    stdio: 'ignore',
  });
}

function losses(recording: Recording): Record<string, number> {
  return Object.fromEntries(
    recording.losses
      .filter((row) => row.total > 0 && lossOfSamples.has(row.name))
      .map((row) => [`${row.name}/${row.cause}`, row.total]),
  );
}

function period(profile: Profile): number {
  return Number(profile.period);
}

test('five functions have the shares that the program counted itself, within the 99 % interval', async () => {
  const truthFile = join(workloads.folder, 'truth');
  const recording = await recordCommand(workloads.compile('five-functions'), '10', truthFile);
  expect(recording.exitCode).toBe(0);
  const { profile } = recording;
  expect(checkValid(profile)).toBeNull();

  const truth = readFileSync(truthFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const allNs = truth.reduce((sum, [, ns]) => sum + Number(ns), 0);
  const found = totalsByFunction(profile);
  const n = truth.reduce((sum, [name = '']) => sum + (found.get(name) ?? 0), 0);
  for (const [name = '', ns] of truth) {
    const share = Number(ns) / allNs;
    const observed = (found.get(name) ?? 0) / n;
    expect(Math.abs(observed - share), `${name}: ${observed} of truly ${share}`).toBeLessThan(halfWidth99(share, n, 5));
  }
  // A tick hits the thread or it does not, which on a busy machine is drawn anew each time: Poisson, with the same 99 %.
  const expected = allNs / period(profile);
  expect(Math.abs(n - expected)).toBeLessThan(2.576 * Math.sqrt(expected));
  // Each function is called by drive, drive by main: nothing on the way is missing.
  const inFunctions = samplesOf(profile).filter((each) => truth.some(([name]) => each.functions.includes(name ?? '')));
  const complete = inFunctions.filter((each) => each.functions.includes('drive') && each.functions.includes('main'));
  expect(total(complete) / total(inFunctions)).toBeGreaterThan(0.99);
  expect(losses(recording)).toEqual({});
});

test('each sample of a file says whose it is', async () => {
  const { profile } = await recordCommand(burnOne, '300000');
  expect(profile.sampleTypes).toEqual([
    { type: 'samples', unit: 'count' },
    { type: 'cpu', unit: 'nanoseconds' },
  ]);
  expect(profile.period).toBe(10_101_010n);
  const samples = samplesOf(profile);
  expect(total(samples)).toBeGreaterThan(20);
  for (const { labels } of samples) {
    expect(labels).toEqual({
      process_executable_name: 'burn-one',
      process_pid: expect.stringMatching(/^\d+$/u),
      thread_name: 'burn-one',
      thread_id: labels['process_pid'],
    });
  }
});

test('a PID that runs another program is told apart before and after', async () => {
  const { profile, exitCode } = await recordCommand(burnOne, '400000', burnTwo, '400000');
  expect(exitCode).toBe(0);
  const samples = samplesOf(profile);
  expect(Object.keys(countBy(samples, 'process_pid'))).toHaveLength(1);
  const byName = countBy(samples, 'process_executable_name');
  expect(Object.keys(byName).sort()).toEqual(['burn-one', 'burn-two']);
  for (const count of Object.values(byName)) expect(count).toBeGreaterThan(30);
  for (const { labels, functions } of samples) {
    const other = labels['process_executable_name'] === 'burn-one' ? 'burn_two' : 'burn_one';
    expect(functions).not.toContain(other);
  }
});

test('a command is recorded with its children and nobody else', async () => {
  const bystander = spawn(burnTwo, ['60000000'], { stdio: 'ignore' });
  try {
    const { profile } = await recordCommand(
      'sh',
      '-c',
      `${burnOne} 200000 & ${spawnMany} 20 ${burnOne} -- 10000; wait`,
    );
    const names = countBy(samplesOf(profile), 'process_executable_name');
    expect(names['burn-one']).toBeGreaterThan(20);
    expect(Object.keys(names)).not.toContain('burn-two');
    expect(Object.keys(names)).not.toContain('node');
  } finally {
    bystander.kill('SIGKILL');
  }
});

test('the exit code of the command is told, also that of a signal; a command that does not exist is refused', async () => {
  expect((await recordCommand('sh', '-c', 'exit 7')).exitCode).toBe(7);
  expect((await recordCommand('sh', '-c', 'kill -KILL $$')).exitCode).toBe(137);
  await expect(recordCommand('/nonexistent')).rejects.toThrow(RecordFailure);
  const target = { kind: 'pids', pids: [2 ** 22 + 1] } as const;
  await expect(record({ frequencyHz: 99, target, durationMs: 10 })).rejects.toThrow('there is no process');
});

test('a signal ends the recording and the command, and keeps what was sampled', async () => {
  const controller = new AbortController();
  const started = join(workloads.folder, 'started');
  const script = `${burnOne} 200000; touch ${started}; exec ${burnOne} 600000000`;
  const recording = record({
    frequencyHz: 99,
    target: { kind: 'command', command: 'sh', arguments: ['-c', script] },
    stdio: 'ignore',
    signal: controller.signal,
  });
  await expect.poll(() => existsSync(started), { timeout: 30_000 }).toBe(true);
  controller.abort();
  const { profile, exitCode } = await recording;
  expect(exitCode).toBe(143);
  expect(total(samplesOf(profile))).toBeGreaterThan(10);
});

test('recording a PID takes all its threads and nothing else, even when its first thread has exited long ago', async () => {
  const file = join(workloads.folder, 'alive');
  writeFileSync(file, '');
  const child = spawn(workloads.compile('leader-gone'), [file], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  try {
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) Z /u);
    const { profile } = await record({ frequencyHz: 99, target: { kind: 'pids', pids: [pid] }, durationMs: 1500 });
    const samples = samplesOf(profile);
    expect(total(samples)).toBeGreaterThan(30);
    expect(Object.keys(countBy(samples, 'process_pid'))).toEqual([String(pid)]);
    expect(Object.keys(countBy(samples, 'thread_name'))).toEqual(['survivor']);
    expect(totalsByFunction(profile).get('outlive')).toBeGreaterThan(0.9 * total(samples));
  } finally {
    rmSync(file);
    await once(child, 'exit');
  }
});

test('recording everything shows the recorder itself', async () => {
  const until = Date.now() + 1500;
  const recording = record({ frequencyHz: 99, target: { kind: 'all' }, durationMs: 1500 });
  let turns = 0;
  while (Date.now() < until) {
    burnHere();
    turns++;
    await new Promise(setImmediate);
  }
  expect(turns).toBeGreaterThan(0);
  const { profile } = await recording;
  const own = samplesOf(profile).filter((each) => each.labels['process_pid'] === String(process.pid));
  expect(total(own)).toBeGreaterThan(30);
  expect(Object.keys(countBy(own, 'process_executable_name'))).toEqual(['node']);
});

function burnHere(): void {
  const until = performance.now() + 5;
  while (performance.now() < until);
}
