import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';

import { type Profile, ProfileBuilder } from '@everflame/profile/write';

import { LossCounters } from './health/counters.ts';
import { beUrgent } from './kernel/urgency.ts';
import type { ProgramShape } from './kernel/sampling-program.ts';
import type { ProcessImage } from './processes/process-image.ts';
import { cpuProfileHeader, periodNsFor } from './profiles/profile-header.ts';
import { resolveInterval, countSampleLosses } from './profiles/resolve-interval.ts';
import { type SampleLabels, SampleWriter } from './profiles/sample-writer.ts';
import { type IntervalClock } from './sampling/collector.ts';
import { IntervalSamples } from './sampling/interval-samples.ts';
import { Profiler, type UnwindingStatus } from './sampling/profiler.ts';
import { createSymbolizer } from './symbols/create-symbolizer.ts';
import type { Symbolizer } from './symbols/symbolizer.ts';

export interface RecordOptions {
  readonly frequencyHz: number;
  /** Whose samples are wanted: these processes' (all their threads), a command's with its children, or everybody's. */
  readonly target:
    | { readonly kind: 'all' }
    | { readonly kind: 'pids'; readonly pids: readonly number[] }
    | { readonly kind: 'command'; readonly command: string; readonly arguments: readonly string[] };
  /** Until the signal, the end of the command or of all the processes when left out. */
  readonly durationMs?: number;
  /** Ends the recording; a command still running gets SIGTERM. */
  readonly signal?: AbortSignal;
  /** Standard streams of a command; `inherit` when left out. */
  readonly stdio?: 'inherit' | 'ignore';
  /** Frames of interpreters themselves are shown beside the functions that they run; folded when left out. */
  readonly showsRuntimeFrames?: boolean;
  /** How the program may be made to fit the kernel: for tests of what older kernels get. */
  readonly shapes?: readonly ProgramShape[];
  readonly log?: (message: string) => void;
}

export interface Recording {
  readonly profile: Profile;
  /** Of the command, as a shell tells it: 128 + number of the signal when one ended it. */
  readonly exitCode: number | undefined;
  readonly losses: ReturnType<LossCounters['rows']>;
  readonly unwinding: UnwindingStatus;
}

/** What the caller can mend: a process or command that does not exist. */
export class RecordFailure extends Error {
  override readonly name = 'RecordFailure';
  readonly code: 'no_such_process' | 'command_not_started';

  constructor(code: RecordFailure['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Samples are given names this often while the recording goes on, so that nothing depends on its length. */
const intervalNs = 10e9;
/** How often it is looked whether the processes of `pids` still exist. */
const watchMs = 200;
/** A command that was told to end gets this long before the recording ends without it. */
const patienceMs = 2000;
/** A recording is one profile: a function that had its file and line in a part of it only would be two. */
const debugPatienceMs = 30_000;

/** Each sample of a recorded file says whose it is: there are no series around it that could. */
const sampleLabels: SampleLabels = ({ member, tid, comm }) => [
  { key: 'process_executable_name', text: member.image.executableName },
  { key: 'process_pid', text: String(member.image.pid) },
  { key: 'thread_name', text: comm },
  { key: 'thread_id', text: String(tid) },
];

/**
 * One CPU profile of the target, without any server. A command is profiled from its first instruction (the fork before
 * its exec is ours) to its exit, with all processes that descend from it.
 * Throws RecordFailure, and LibbpfMissing, ProgramRefused or SystemError as `startAgent` does.
 */
export async function record(options: RecordOptions): Promise<Recording> {
  const { target } = options;
  if (target.kind === 'pids') checkPids(target.pids);
  const losses = new LossCounters();
  const symbolizer = createSymbolizer({ lossCounters: losses, debugPatienceMs });
  try {
    return await recordWith(options, losses, symbolizer);
  } finally {
    await symbolizer.close();
  }
}

async function recordWith(options: RecordOptions, losses: LossCounters, symbolizer: Symbolizer): Promise<Recording> {
  const { frequencyHz, target } = options;
  const startUnixMs = Date.now();
  const startedNs = process.hrtime.bigint();
  const builder = new ProfileBuilder(cpuProfileHeader(frequencyHz, BigInt(startUnixMs) * 1_000_000n, 0n));
  const wanted = new Wanted(target.kind === 'pids' ? target.pids : []);
  let work: Promise<void> = Promise.resolve();

  async function write(interval: IntervalSamples): Promise<void> {
    await profiler.settle(interval);
    countSampleLosses(interval, losses);
    const resolved = await resolveInterval(interval, symbolizer, profiler.runtimes);
    const writer = new SampleWriter(builder, resolved, periodNsFor(frequencyHz), sampleLabels);
    for (let row = 0; row < interval.sampleCount; row++) writer.write(row);
  }

  const profiler = new Profiler({
    frequencyHz,
    losses,
    symbolizer,
    tableCacheDirectory: undefined,
    showsRuntimeFrames: options.showsRuntimeFrames,
    shapes: options.shapes,
    nextInterval,
    log: options.log ?? ((): void => undefined),
    identify: (member) => {
      member.labels = {};
    },
    ...(target.kind === 'all' ? {} : { accepts: (image: ProcessImage) => wanted.has(image.pid), listener: wanted }),
    onInterval: (interval, retired) => {
      work = work.then(async () => {
        await write(interval);
        for (const image of retired) {
          symbolizer.forget(image);
          profiler.runtimes.forget(image);
        }
      });
      // Told to the caller by the await below; not to the process as an unhandled rejection before that.
      work.catch(() => undefined);
    },
  });
  const beOrdinary = await beUrgent();
  let exitCode: number | undefined;
  try {
    exitCode = await untilOver(options, wanted);
  } finally {
    profiler.stop();
    beOrdinary();
  }
  const durationNanos = process.hrtime.bigint() - startedNs;
  try {
    await work;
  } finally {
    await profiler.close();
  }
  const { unwinding } = profiler;
  return { profile: { ...builder.build(), durationNanos }, exitCode, losses: losses.rows(), unwinding };
}

const nextInterval: IntervalClock = (startNs) => ({
  samples: new IntervalSamples(startNs, 0n),
  endNs: startNs + intervalNs,
});

/** PIDs whose samples are wanted, children included as they are born. */
class Wanted {
  readonly #pids: Set<number>;
  readonly #followsChildren: boolean;
  #root: number | undefined;

  constructor(pids: readonly number[]) {
    this.#pids = new Set(pids);
    this.#followsChildren = pids.length === 0;
  }

  has(pid: number): boolean {
    return this.#pids.has(pid);
  }

  /** Wanted from its next exec on. */
  setRoot(pid: number): void {
    this.#root = pid;
  }

  forked(child: ProcessImage, parentPid: number): void {
    if (this.#followsChildren && this.#pids.has(parentPid)) this.#pids.add(child.pid);
    // The PID of one that has exited is somebody else's now.
    else this.#pids.delete(child.pid);
  }

  executed(image: ProcessImage): void {
    if (image.pid === this.#root) this.#pids.add(image.pid);
  }
}

function checkPids(pids: readonly number[]): void {
  for (const pid of pids) {
    if (!existsSync(`/proc/${pid}`)) throw new RecordFailure('no_such_process', `there is no process ${pid}`);
  }
}

/** Resolves when the recording is to end, with the exit code of the command if there is one. */
async function untilOver(options: RecordOptions, wanted: Wanted): Promise<number | undefined> {
  const { target, durationMs, signal } = options;
  const cleanups: (() => void)[] = [];
  const end = new Promise<void>((resolve) => {
    if (durationMs !== undefined) {
      const timer = setTimeout(resolve, durationMs);
      cleanups.push(() => clearTimeout(timer));
    }
    if (signal?.aborted === true) resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
    if (target.kind === 'pids') {
      const timer = setInterval(() => {
        if (!target.pids.some((pid) => existsSync(`/proc/${pid}`))) resolve();
      }, watchMs);
      cleanups.push(() => clearInterval(timer));
    }
  });
  try {
    if (target.kind !== 'command') {
      await end;
      return undefined;
    }
    const child = spawn(target.command, target.arguments, { stdio: options.stdio ?? 'inherit' });
    if (child.pid !== undefined) wanted.setRoot(child.pid);
    const exit = exitCodeOf(child, target.command);
    const first = await Promise.race([exit, end]);
    if (first !== undefined) return first;
    child.kill('SIGTERM');
    const patience = new Promise<undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), patienceMs);
      cleanups.push(() => clearTimeout(timer));
    });
    return await Promise.race([exit, patience]);
  } finally {
    for (const cleanup of cleanups) cleanup();
  }
}

async function exitCodeOf(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new RecordFailure('command_not_started', `${command}: ${error.message}`));
    });
    child.once('exit', (code, signalName) => {
      resolve(code ?? 128 + (signalName === null ? 0 : constants.signals[signalName]));
    });
  });
}
