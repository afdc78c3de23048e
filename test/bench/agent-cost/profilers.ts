import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { decodeProfile } from '@everflame/profile';

import { startAgentProcess } from '../../support/agent-process.ts';
import { countOf, seenStacks } from '../../support/planted/seen-stacks.ts';
import { type Holdings, holdingsOf } from '../../support/kernel-holdings.ts';
import { startRecordingServer } from '../../support/recording-server.ts';

/** What one profiler cost in one run. */
export interface Cost {
  /** User and system time of its own process, percent of one core, after it has warmed up. */
  readonly cpuPercent: number;
  readonly rssMb: number;
  readonly peakMb: number;
  readonly mapsMb: number;
  /** Undefined without BPF. */
  readonly bpfNsPerSample: number | undefined;
  readonly bpfPercent: number;
  readonly samples: number;
  /** Sent or written, per sample. */
  readonly bytesPerSample: number;
  readonly meanDepth: number;
  /** Samples of the whole run, to its SIGTERM, over runs of its program, one for each tick. Says something under full load only. */
  readonly delivered: number;
  /** From its start to its program's first run, and the CPU time until it has sent its first profile. */
  readonly firstSampleS: number;
  readonly firstProfileCpuS: number;
}

export const frequencyHz = 99;

/** It has nothing to learn: only to scan /proc. */
const perfWarmUpMs = 2000;

export interface ProfilerRun {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly cpus: number;
}

/** Everflame's agent as a user starts it. With `dataDir`, what an earlier run has left there is used. */
export async function runEverflame(run: ProfilerRun, dataDir?: string): Promise<Cost> {
  const place = dataDir ?? mkdtempSync(join(tmpdir(), 'everflame-bench-'));
  const server = await startRecordingServer();
  const startedMs = performance.now();
  const agent = await startAgentProcess({ server, dataDir: place, interval: '10s' });
  try {
    while (agent.holdings().bpfRuns === 0) await sleep(5);
    const firstMs = performance.now();
    await server.until(() => server.accepted.length > 0);
    const firstProfileCpuS = agent.holdings().cpuS;
    await sleep(run.warmUpSeconds * 1000);
    const from = agent.holdings();
    await sleep(run.seconds * 1000);
    const to = agent.holdings();
    const ticks = agent.holdings().bpfRuns;
    await agent.end('SIGTERM');
    const shipped = server.accepted.flatMap((request) =>
      request.profiles.flatMap(({ pprof }) => {
        const decoded = decodeProfile(pprof);
        return decoded.ok ? seenStacks(decoded.profile) : [];
      }),
    );
    const samples = countOf(shipped);
    const depth = shipped.reduce((sum, { user, kernel, count }) => sum + (user.length + kernel.length) * count, 0);
    const bytes = server.attempts.reduce((sum, { headers }) => sum + Number(headers['content-length'] ?? 0), 0);
    return {
      ...costBetween(from, to, run.seconds),
      samples,
      bytesPerSample: bytes / samples,
      meanDepth: depth / samples,
      delivered: samples / ticks,
      firstSampleS: (firstMs - startedMs) / 1000,
      firstProfileCpuS,
    };
  } finally {
    await agent.end('SIGKILL');
    await server.close();
    if (dataDir === undefined) rmSync(place, { recursive: true });
  }
}

/** perf record of the whole machine; `callGraph` fp is its `-g`. */
export async function runPerf(run: ProfilerRun, callGraph: 'fp' | 'dwarf'): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), 'everflame-perf-'));
  const data = join(folder, 'perf.data');
  // Debian's perf 6.1.192 crashes on records of mappings without build IDs, at the end of the recording.
  const clock = ['-e', 'cpu-clock', '-F', String(frequencyHz)];
  const words = ['record', '-q', '-a', '--buildid-mmap', ...clock, '--call-graph', callGraph];
  const startedMs = performance.now();
  const child = spawn('perf', [...words, '-o', data], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  const pid = child.pid ?? 0;
  try {
    await sleep(perfWarmUpMs);
    const from = holdingsOf(pid);
    await sleep(run.seconds * 1000);
    const to = holdingsOf(pid);
    const wallS = (performance.now() - startedMs) / 1000;
    child.kill('SIGINT');
    await exited;
    const bytes = statSync(data).size;
    // Every tick of a busy CPU is a record of its file; counting them with perf script would take minutes of dwarf.
    const samples = wallS * frequencyHz * run.cpus;
    return {
      ...costBetween(from, to, run.seconds),
      samples,
      bytesPerSample: bytes / samples,
      meanDepth: Number.NaN,
      delivered: Number.NaN,
      firstSampleS: Number.NaN,
      firstProfileCpuS: Number.NaN,
    };
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

function costBetween(
  from: Holdings,
  to: Holdings,
  seconds: number,
): Pick<Cost, 'cpuPercent' | 'rssMb' | 'peakMb' | 'mapsMb' | 'bpfNsPerSample' | 'bpfPercent'> {
  const runs = to.bpfRuns - from.bpfRuns;
  const runNs = to.bpfRunNs - from.bpfRunNs;
  return {
    cpuPercent: (100 * (to.cpuS - from.cpuS)) / seconds,
    rssMb: to.rssBytes / 1e6,
    peakMb: to.peakRssBytes / 1e6,
    mapsMb: to.mapBytes / 1e6,
    bpfNsPerSample: runs === 0 ? undefined : runNs / runs,
    bpfPercent: runNs / seconds / 1e7,
  };
}
