import type { LossCounters } from '../health/counters.ts';
import { KernelSource } from '../kernel/kernel-source.ts';
import type { ProcessImage } from '../processes/process-image.ts';
import { type ProcessListener, ProcessTable } from '../processes/process-table.ts';
import type { ProgramCounters, ProgramShape } from '../kernel/sampling-program.ts';
import type { Symbolizer } from '../symbols/symbolizer.ts';
import { Runtimes } from '../runtimes/runtimes.ts';
import { StackTables } from '../tables/stack-tables.ts';
import { Collector, type IntervalClock } from './collector.ts';
import { monotonicNowNs } from './interval-clock.ts';
import type { IntervalSamples, Member } from './interval-samples.ts';

/**
 * Ten times a second at 99 Hz: a process that lives longer than that can be looked at while it lives; each time costs about 50 µs. At higher rates
 * more often, so that about ten samples of a CPU come at a time.
 */
const drainMsAt = (frequencyHz: number): number => Math.max(10, Math.min(100, Math.round(10_000 / frequencyHz)));
/**
 * When so much of the ring is full, the next drain is soon: copies of stacks fill it, because the agent has just come or many processes have. From a
 * half on, copies are smaller.
 */
const hurryFill = 1 / 16;
/** CPUs that come and go, and the program's own counters. */
const watchMs = 1000;
/** Until the next drain while the ring fills, or while a process of a runtime is new: what it runs must be read before it ends. */
const soonMs = 20;
/** Exited processes that may wait in the table; each holds about 1 KB. */
const mostExited = 4096;
/** Processes that are gone are dropped at the second look, so at least this late. */
const reconcileMs = 5000;

export interface ProfilerOptions {
  readonly frequencyHz: number;
  readonly losses: LossCounters;
  readonly symbolizer: Pick<Symbolizer, 'prepare'>;
  readonly identify: (member: Member) => void;
  readonly nextInterval: IntervalClock;
  readonly accepts?: (image: ProcessImage) => boolean;
  readonly listener?: ProcessListener;
  /** Called after a drain for each interval that is over, oldest first, with the images that get no more samples after it. */
  readonly onInterval: (interval: IntervalSamples, retired: readonly ProcessImage[]) => void;
  /** Where unwind tables are kept over restarts; undefined: nowhere. */
  readonly tableCacheDirectory: string | undefined;
  /** Frames of interpreters themselves are shown beside the functions that they run. */
  readonly showsRuntimeFrames: boolean | undefined;
  /** How the program may be made to fit the kernel; all ways when left out. */
  readonly shapes: readonly ProgramShape[] | undefined;
  readonly log: (message: string) => void;
}

export interface UnwindingStatus {
  /** Samples that were wanted and whose stacks the kernel copied for the agent to unwind; the others were unwound in the kernel. */
  readonly copied: number;
  /** Samples whose frames the kernel had sent before and did not send again. */
  readonly repeated: number;
  /** False on kernels before 5.17, where stacks end at 174 frames. */
  readonly hasLoop: boolean;
  /** Of the unwind tables in the kernel, in bytes. */
  readonly tableBytes: number;
  /** Processes that the kernel part knows. */
  readonly processes: number;
}

/** Samples every CPU from `start` to `stop` and hands over one interval after the other. */
export class Profiler {
  readonly #options: ProfilerOptions;
  readonly #source: KernelSource;
  readonly #table: ProcessTable;
  readonly #stacks: StackTables;
  readonly #runtimes: Runtimes;
  readonly #collector: Collector;
  readonly #timers: NodeJS.Timeout[];
  #soon: NodeJS.Timeout | undefined;
  #lastCounters: ProgramCounters = {
    sampled: 0,
    ringFull: 0,
    noScratch: 0,
    tailCallFailed: 0,
  };
  #failure: Error | undefined;

  /**
   * Records are collected before /proc is read, and samples after: no process falls in between. Throws LibbpfMissing,
   * ProgramRefused, SystemError; then nothing is left behind.
   */
  constructor(options: ProfilerOptions) {
    this.#options = options;
    this.#source = new KernelSource(options.frequencyHz, options.shapes);
    const { processesFd, pythonsFd, tablesFd } = this.#source.maps;
    const { losses, tableCacheDirectory: cacheDirectory } = options;
    this.#runtimes = new Runtimes(losses, options.showsRuntimeFrames === true);
    const runtimes = this.#runtimes;
    this.#stacks = new StackTables({ losses, runtimes, processesFd, pythonsFd, tablesFd, cacheDirectory });
    try {
      this.#table = new ProcessTable(options);
      this.#table.scan();
      this.#source.startSampling();
      this.#collector = new Collector(
        {
          ...options,
          source: this.#source,
          table: this.#table,
          stacks: this.#stacks,
          contexts: this.#stacks.contexts,
          runtimes,
        },
        monotonicNowNs(),
      );
    } catch (error) {
      this.#source.close();
      throw error;
    }
    this.#timers = [
      setInterval(() => this.#guarded(() => this.drain()), drainMsAt(options.frequencyHz)),
      setInterval(() => this.#guarded(() => this.#watch()), watchMs),
      setInterval(() => this.#guarded(() => this.#table.reconcile()), reconcileMs),
    ];
  }

  get cpus(): readonly number[] {
    return this.#source.cpus;
  }

  get processes(): number {
    return this.#table.size;
  }

  /** Samples that the kernel has taken so far; a second old at most. */
  get sampled(): number {
    return this.#lastCounters.sampled;
  }

  /** Reads what the kernel has collected. Runs by itself ten times a second. */
  drain(isLast = false): void {
    const isFilling = this.#source.samples.fill > hurryFill;
    const intervals = this.#collector.drain(monotonicNowNs(), isLast);
    if (!isLast && (isFilling || this.#runtimes.hasYoung)) this.#drainSoon();
    if (this.#table.exitedCount > mostExited) this.#table.reconcile();
    if (intervals.length === 0) return;
    const retired = this.#table.takeRetired();
    for (const image of retired) this.#stacks.remove(image);
    for (const [index, interval] of intervals.entries()) {
      this.#options.onInterval(interval, index === intervals.length - 1 ? retired : []);
    }
  }

  #drainSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#guarded(() => this.drain());
    }, soonMs);
  }

  /** Names frames with notes; of a process, until it is told to forget it. */
  get runtimes(): Runtimes {
    return this.#runtimes;
  }

  /** How stacks are unwound. */
  get unwinding(): UnwindingStatus {
    const { copies: copied, repeats: repeated } = this.#collector;
    return { copied, repeated, hasLoop: this.#source.hasLoop, ...this.#stacks.usage };
  }

  /** Resolves when all samples of an interval that is over have their frames; some wait for unwind tables. */
  settle(interval: IntervalSamples): Promise<void> {
    return this.#collector.settle(interval);
  }

  /** After `stop`, once all intervals are settled: gives everything back to the kernel. */
  async close(): Promise<void> {
    await this.#stacks.close();
    this.#runtimes.close();
    this.#source.close();
  }

  /** Ends sampling and hands over the last interval. Throws what a drain has thrown before. */
  stop(): void {
    this.#clearTimers();
    this.#source.stopSampling();
    if (this.#failure !== undefined) throw this.#failure;
    this.drain(true);
    this.#count();
  }

  #watch(): void {
    // What a CPU that went has left in its ring is read before the ring goes.
    this.drain();
    for (const { cpu, error } of this.#source.refreshCpus()) {
      this.#options.log(`CPU ${cpu} cannot be sampled: ${error.message}`);
    }
    this.#count();
  }

  #count(): void {
    const counters = this.#source.counters();
    const { losses } = this.#options;
    const ringFull = counters.ringFull - this.#lastCounters.ringFull;
    const noScratch = counters.noScratch - this.#lastCounters.noScratch;
    if (ringFull > 0) losses.add('samples_lost', 'ring_full', ringFull);
    const tailCallFailed = counters.tailCallFailed - this.#lastCounters.tailCallFailed;
    if (noScratch > 0) losses.add('samples_lost', 'copy_failed', noScratch);
    if (tailCallFailed > 0) losses.add('stacks_truncated', 'tail_call', tailCallFailed);
    this.#lastCounters = counters;
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#soon);
  }

  /** A bug in a timer must not end the process that the agent is a guest of; it ends the sampling, in words. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#clearTimers();
      this.#source.stopSampling();
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#options.log(`sampling ended: ${this.#failure.stack ?? this.#failure.message}`);
    }
  }
}
