import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { LossCounters, startAgent } from '@everflame/agent';
import { decodeProfile } from '@everflame/profile';
import { afterAll, expect, test } from 'vitest';

import { KernelSource } from '../../packages/agent/src/kernel/kernel-source.ts';
import { parsePerfRecord, type PerfRecord } from '../../packages/agent/src/processes/perf-record.ts';
import { Workloads } from '../workloads/compile.ts';
import { samplesOf, total } from './agent-samples.ts';

const workloads = new Workloads();
afterAll(() => workloads.remove());

test('the records of a process that lives for a moment say all of it, with the build IDs that readelf finds', () => {
  const program = workloads.compile('burn', { name: 'a-moment', flags: ['-Wl,--build-id'] });
  const source = new KernelSource(99);
  const records: PerfRecord[] = [];
  try {
    execFileSync(program, ['100']);
    source.readRecords((view, offset, size) => {
      const record = parsePerfRecord(view, offset, size);
      if (record !== undefined) records.push(record);
    });
  } finally {
    source.close();
  }
  const exec = records.find((each) => each.kind === 'comm' && each.isExec && each.comm === 'a-moment');
  const pid = exec?.kind === 'comm' ? exec.pid : 0;
  const own = records.filter((each) => 'pid' in each && each.pid === pid).sort((a, b) => a.timeNs - b.timeNs);
  const kinds = own.map((each) => each.kind);
  expect(kinds[0]).toBe('fork');
  expect(kinds.at(-1)).toBe('exit');
  expect(kinds.indexOf('comm')).toBeLessThan(kinds.indexOf('mmap'));

  const mappings = own.flatMap((each) =>
    each.kind === 'mmap' && each.timeNs > (exec?.timeNs ?? 0) ? [each.mapping] : [],
  );
  expect(mappings[0]?.path).toBe(program);
  const files = mappings.filter((each) => each.path.startsWith('/'));
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const { path, buildId } of files) {
    const notes = execFileSync('readelf', ['-n', path]).toString();
    expect(buildId).toBe(/Build ID: ([0-9a-f]+)/u.exec(notes)?.[1]);
  }
  expect(mappings.map((each) => each.path)).toContain('[vdso]');
  expect(records.filter((each) => each.kind === 'lost' || each.kind === 'malformed')).toEqual([]);
});

test('records that nobody reads are lost at some time, and the kernel says how many', () => {
  const source = new KernelSource(99);
  let seen = 0;
  let lost = 0;
  try {
    // About 20 records of 100 bytes and more for each run: more than both rings hold.
    execFileSync(workloads.compile('spawn-many'), ['4000', '/bin/true', '--']);
    const read = (): void =>
      source.readRecords((view, offset, size) => {
        const record = parsePerfRecord(view, offset, size);
        seen++;
        if (record?.kind === 'lost') lost += record.lost;
        expect(record?.kind).not.toBe('malformed');
      });
    read();
    // The count comes with the first record that fits again.
    spawnSync('true');
    read();
  } finally {
    source.close();
  }
  expect(seen).toBeGreaterThan(1000);
  expect(lost).toBeGreaterThan(1000);
});

test('samples that nobody reads are counted when the ring is full', async () => {
  const source = new KernelSource(5000);
  try {
    source.startSampling();
    const burner = spawn(workloads.compile('burn', { name: 'filler' }), ['60000000'], { stdio: 'ignore' });
    try {
      await expect.poll(() => source.counters().ringFull, { timeout: 60_000, interval: 200 }).toBeGreaterThan(10);
    } finally {
      burner.kill('SIGKILL');
    }
    const { sampled } = source.counters();
    let read = 0;
    source.stopSampling();
    source.samples.read(() => {
      read++;
      return true;
    });
    source.samples.release();
    expect(read).toBeGreaterThanOrEqual(sampled);
    expect(read).toBe(source.counters().sampled);
  } finally {
    source.close();
  }
});

const hotplug = '/sys/devices/system/cpu/cpu1/online';
const canUnplug = existsSync(hotplug) && availableParallelism() > 1;

// Without a CPU that may be switched off there is nothing to see.
test.skipIf(!canUnplug)('a CPU that goes and comes back is sampled again', async () => {
  const losses = new LossCounters();
  let samples = 0;
  const agent = await startAgent({
    frequencyHz: 99,
    intervalMs: 500,
    hostName: 'test-host',
    losses,
    shipper: {
      async enqueue(profiles) {
        for (const { labels, pprof } of profiles) {
          const decoded = decodeProfile(pprof);
          if (decoded.ok && labels['process_executable_name'] === 'on-cpu-1')
            samples += total(samplesOf(decoded.profile));
        }
      },
    },
  });
  try {
    expect(agent.status().cpus).toContain(1);
    writeFileSync(hotplug, '0');
    await expect.poll(() => agent.status().cpus, { timeout: 10_000 }).not.toContain(1);
    writeFileSync(hotplug, '1');
    await expect.poll(() => agent.status().cpus, { timeout: 10_000 }).toContain(1);
    const burner = spawn('taskset', ['-c', '1', workloads.compile('burn', { name: 'on-cpu-1' }), '1000000']);
    await once(burner, 'exit');
  } finally {
    if (readFileSync(hotplug, 'utf8').trim() !== '1') writeFileSync(hotplug, '1');
    await agent.stop();
  }
  expect(samples).toBeGreaterThan(60);
  expect(losses.rows().filter((row) => row.name === 'records_lost' && row.total > 0)).toEqual([]);
});
