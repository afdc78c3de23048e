import { LossCounters } from './health/counters.ts';
import { OwnMemory } from './kernel/own-memory.ts';
import { beUrgent } from './kernel/urgency.ts';
import type { IdentitySource, SeriesLabels } from './processes/identity.ts';
import type { ProcessImage } from './processes/process-image.ts';
import { createIdentitySource } from './processes/identity/create-identity-source.ts';
import { resolveInterval, countSampleLosses } from './profiles/resolve-interval.ts';
import { seriesProfiles } from './profiles/series-profiles.ts';
import { alignedIntervals } from './sampling/interval-clock.ts';
import type { IntervalSamples } from './sampling/interval-samples.ts';
import { Profiler, type UnwindingStatus } from './sampling/profiler.ts';
import type { Shipper } from './shipping/shipper.ts';
import { createSymbolizer } from './symbols/create-symbolizer.ts';
import type { Symbolizer } from './symbols/symbolizer.ts';

export interface AgentOptions {
  readonly frequencyHz: number;
  /** Length of a profile; ends at multiples of it on the wall clock. */
  readonly intervalMs: number;
  readonly shipper: Pick<Shipper, 'enqueue'>;
  /** The label `host_name`. */
  readonly hostName: string;
  /** Where losses are counted: the shipper's. */
  readonly losses?: LossCounters;
  /** Closed by `stop`. Made with `createSymbolizer` when left out. */
  readonly symbolizer?: Symbolizer;
  /** Made with `createIdentitySource` when left out. */
  readonly identity?: IdentitySource;
  /** Where unwind tables are kept over restarts. Nowhere when left out. */
  readonly tableCacheDirectory?: string;
  /** Frames of interpreters themselves are shown beside the functions that they run; folded when left out. */
  readonly showsRuntimeFrames?: boolean;
  readonly log?: (message: string) => void;
}

export interface AgentStatus {
  readonly cpus: readonly number[];
  readonly frequencyHz: number;
  readonly processes: number;
  /** Samples taken by the kernel since the start. */
  readonly sampled: number;
  readonly unwinding: UnwindingStatus;
  /** Unix time in ms at which the last profiles were queued; undefined before. */
  readonly lastQueuedAtMs: number | undefined;
}

export interface Agent {
  /** Ends sampling and queues the last interval; resolves when the shipper has it. */
  stop(): Promise<void>;
  counters(): ReturnType<LossCounters['rows']>;
  status(): AgentStatus;
}

/** Generations that are asked who they are for the sake of a descendant. */
const mostAncestors = 8;

/** Who a process is. Its parent is asked first, once: what a process inherited from it is read there when it is gone itself. */
function labelsOf(identity: IdentitySource, image: ProcessImage, cgroupId: bigint, depth = 0): SeriesLabels {
  const { parent } = image;
  const isAsked = parent !== undefined && !parent.isKernelThread && depth < mostAncestors;
  const parentLabels = isAsked ? (parent.lastLabels ?? labelsOf(identity, parent, 0n, depth + 1)) : undefined;
  const labels = identity.identify(image, cgroupId, parentLabels);
  image.setLabelsIn(cgroupId, labels);
  return labels;
}

/**
 * What intervals that wait for names may hold. One of 10 s has about 600 KB on two busy CPUs, so this is minutes: the first
 * ones wait while the symbols of all that runs are read, and a host may be too busy to name what it does.
 */
const mostWaitingBytes = 24 << 20;

/**
 * Samples every process of this host and hands one profile per series and interval to the shipper, until `stop`.
 * Throws LibbpfMissing, ProgramRefused or SystemError when the kernel or its permissions do not allow it (`checkHost` says
 * in words what to do); nothing is left behind then.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { shipper, frequencyHz, hostName } = options;
  const losses = options.losses ?? new LossCounters();
  const identity = options.identity ?? createIdentitySource({ hostName, losses });
  const symbolizer = options.symbolizer ?? createSymbolizer({ lossCounters: losses });
  const log = options.log ?? ((): void => undefined);
  const ownMemory = new OwnMemory();
  let waitingBytes = 0;
  let lastQueuedAtMs: number | undefined;
  let work: Promise<void> = Promise.resolve();

  async function ship(interval: IntervalSamples, retired: readonly ProcessImage[]): Promise<void> {
    try {
      await profiler.settle(interval);
      if (interval.total > 0) {
        for (const member of interval.members) {
          if (member.labels !== undefined) member.labels = await identity.complete(member.labels);
        }
        countSampleLosses(interval, losses);
        const resolved = await resolveInterval(interval, symbolizer, profiler.runtimes);
        await shipper.enqueue(await seriesProfiles(resolved, frequencyHz));
        lastQueuedAtMs = Date.now();
      }
    } catch (error) {
      losses.add('samples_lost', 'interval_dropped', interval.total);
      log(`an interval was dropped: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    } finally {
      waitingBytes -= interval.bytes;
    }
    for (const image of retired) {
      symbolizer.forget(image);
      profiler.runtimes.forget(image);
    }
    // What reading files and making profiles took is not needed before the next interval.
    ownMemory.giveBack();
  }

  const beOrdinary = await beUrgent();
  const profiler = await startOrClose(
    symbolizer,
    () =>
      new Profiler({
        frequencyHz,
        losses,
        symbolizer,
        log,
        tableCacheDirectory: options.tableCacheDirectory,
        showsRuntimeFrames: options.showsRuntimeFrames,
        shapes: undefined,
        nextInterval: alignedIntervals(options.intervalMs),
        identify: (member) => {
          member.labels = member.image.labelsIn(member.cgroupId) ?? labelsOf(identity, member.image, member.cgroupId);
        },
        onInterval: (interval, retired) => {
          if (waitingBytes > mostWaitingBytes) {
            losses.add('samples_lost', 'interval_dropped', interval.total);
            log(`an interval was dropped: ${waitingBytes} bytes of others still wait for their names`);
            return;
          }
          waitingBytes += interval.bytes;
          work = work.then(async () => ship(interval, retired));
        },
      }),
  );

  const startTimer = setTimeout(() => ownMemory.giveBack(), startMs).unref();
  return {
    async stop() {
      clearTimeout(startTimer);
      try {
        profiler.stop();
      } finally {
        beOrdinary();
        await work;
        await profiler.close();
        await symbolizer.close();
      }
    },
    counters: () => losses.rows(),
    status: () => ({
      cpus: profiler.cpus,
      frequencyHz,
      processes: profiler.processes,
      sampled: profiler.sampled,
      unwinding: profiler.unwinding,
      lastQueuedAtMs,
    }),
  };
}

/** After so long what only the start needed is given back: the threads have started, and the first interval is not over. */
const startMs = 2000;

/** Does not leave the symbolizer's worker behind when sampling cannot begin. */
async function startOrClose<T>(symbolizer: Symbolizer, start: () => T): Promise<T> {
  try {
    return start();
  } catch (error) {
    await symbolizer.close();
    throw error;
  }
}
