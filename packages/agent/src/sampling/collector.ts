import type { LossCounters } from '../health/counters.ts';
import { flagKernelFailed, flagKernelThread, flagKernelTruncated, flagUserFailed } from '../kernel/generated/abi.ts';
import { flagUserTruncated, sampleBytes, sampleOffset } from '../kernel/generated/abi.ts';
import { findMapping } from '../processes/mapping-list.ts';
import { parsePerfRecord, type PerfRecord } from '../processes/perf-record.ts';
import type { ProcessImage } from '../processes/process-image.ts';
import type { ProcessTable } from '../processes/process-table.ts';
import type { Symbolizer } from '../symbols/symbolizer.ts';
import { type IntervalSamples, type Member, readComm } from './interval-samples.ts';

/**
 * What happened less than this before a drain is left for the next one: another CPU may still be writing it. A record or a
 * sample takes microseconds from its time stamp to the ring; a virtual CPU can be taken away in between.
 */
const settleNs = 5e6;

/** Makes the next interval. `startNs` is CLOCK_MONOTONIC; `endNs` is exclusive and above it. */
export type IntervalClock = (startNs: number) => { readonly samples: IntervalSamples; readonly endNs: number };

/** Where samples and records come from: KernelSource, or what a test has written. */
export interface SampleSource {
  readonly samples: {
    readonly words: Uint32Array;
    /** See SampleRing. */
    read(take: (offset: number, length: number) => boolean): void;
    release(): void;
  };
  /** See KernelSource. */
  readRecords(take: (view: DataView, offset: number, size: number) => void): void;
}

export interface CollectorOptions {
  readonly source: SampleSource;
  readonly table: ProcessTable;
  readonly losses: LossCounters;
  readonly symbolizer: Pick<Symbolizer, 'prepare'>;
  /** Called for each program in a cgroup once its executable is known, while it is likely to be alive. */
  readonly identify: (member: Member) => void;
  readonly nextInterval: IntervalClock;
  /** Whose samples are wanted; every process's when left out. */
  readonly accepts?: (image: ProcessImage) => boolean;
}

/**
 * Joins samples with the processes that they belong to. Both come in order of time per CPU; a drain reads samples first and
 * records after them, so that every record that is older than a sample is there when the sample is looked at.
 */
export class Collector {
  readonly #options: CollectorOptions;
  #interval: IntervalSamples;
  #endNs: number;
  readonly #closed: IntervalSamples[] = [];
  /** Records not applied yet, in order of time. */
  #records: PerfRecord[] = [];
  /** Byte offsets in the ring of the samples of a drain. */
  readonly #offsets: number[] = [];
  #unidentified: Member[] = [];

  /** `startNs`: CLOCK_MONOTONIC; the instant from which on samples are taken. */
  constructor(options: CollectorOptions, startNs: number) {
    this.#options = options;
    const { samples, endNs } = options.nextInterval(startNs);
    this.#interval = samples;
    this.#endNs = endNs;
  }

  /**
   * Reads and joins everything up to a few milliseconds before `nowNs` (CLOCK_MONOTONIC), or all that there is when
   * `isLast`. Answers the intervals that are over by now, oldest first, with the instant at which each ended.
   */
  drain(nowNs: number, isLast = false): readonly IntervalSamples[] {
    const { source } = this.#options;
    const untilNs = isLast ? Number.POSITIVE_INFINITY : nowNs - settleNs;
    const { words } = source.samples;
    this.#offsets.length = 0;
    source.samples.read((offset, length) => {
      if (timeAt(words, offset) > untilNs) return false;
      if (length < sampleBytes) throw new Error(`a sample of ${length} bytes`);
      this.#offsets.push(offset);
      return true;
    });
    this.#readRecords();
    sortByTime(this.#offsets, words);

    let applied = 0;
    const applyUntil = (timeNs: number): void => {
      for (let next = this.#records[applied]; next !== undefined && next.timeNs <= timeNs;) {
        this.#options.table.apply(next);
        next = this.#records[++applied];
      }
    };
    for (const offset of this.#offsets) {
      const timeNs = timeAt(words, offset);
      applyUntil(timeNs);
      this.#rotateUntil(timeNs);
      this.#take(offset, timeNs);
    }
    source.samples.release();
    applyUntil(isLast ? untilNs : untilNs - settleNs);
    this.#records.splice(0, applied);
    this.#identify(isLast);
    if (isLast) this.#close(nowNs);
    else this.#rotateUntil(untilNs);
    return this.#closed.splice(0);
  }

  #readRecords(): void {
    const before = this.#records.length;
    this.#options.source.readRecords((view, offset, size) => {
      const record = parsePerfRecord(view, offset, size);
      if (record !== undefined) this.#records.push(record);
    });
    if (this.#records.length > before) this.#records.sort((one, other) => one.timeNs - other.timeNs);
  }

  #take(offset: number, timeNs: number): void {
    const { table, losses, accepts } = this.#options;
    const { words } = this.#options.source.samples;
    const word = (field: number): number => words[(offset + field) >> 2] ?? 0;
    const flags = word(sampleOffset.flags);
    const commAt = (offset + sampleOffset.comm) >> 2;
    const pid = word(sampleOffset.pid);
    let image = table.find(pid, (flags & flagKernelThread) !== 0);
    image ??= table.get(pid, readComm(words.subarray(commAt, commAt + 4)), (flags & flagKernelThread) !== 0);
    if (accepts !== undefined && !accepts(image)) return;
    if ((flags & (flagKernelFailed | flagUserFailed)) !== 0) losses.add('samples_lost', 'copy_failed');
    if ((flags & (flagKernelTruncated | flagUserTruncated)) !== 0) losses.add('stacks_truncated', 'depth');
    const counts = word(sampleOffset.kernelFrames);
    const sample = {
      image,
      tid: word(sampleOffset.tid),
      words,
      cgroupAt: (offset + sampleOffset.cgroupId) >> 2,
      commAt,
      framesAt: (offset + sampleBytes) >> 2,
      kernelFrames: counts & 0xffff,
      userFrames: counts >>> 16,
    };
    const { isNewStack, newMember } = this.#interval.add(sample);
    if (newMember?.labels === undefined && newMember !== undefined) this.#unidentified.push(newMember);
    if (isNewStack) this.#prepare(image, words, sample.framesAt + 2 * sample.kernelFrames, sample.userFrames, timeNs);
  }

  /** Tells the symbolizer of mappings that a sample hits for the first time: their files may be gone in a moment. */
  #prepare(image: ProcessImage, words: Uint32Array, at: number, frames: number, timeNs: number): void {
    image.prepared ??= new Set();
    for (let frame = 0; frame < frames; frame++) {
      const address = (BigInt(words[at + 2 * frame + 1] ?? 0) << 32n) | BigInt(words[at + 2 * frame] ?? 0);
      let mapping = findMapping(image.mappings, address);
      // A caller's address may be garbage where frame pointers are missing; the interrupted instruction's is not.
      if (mapping === undefined && frame === 0 && this.#options.table.refresh(image, timeNs)) {
        mapping = findMapping(image.mappings, address);
      }
      if (mapping === undefined || image.prepared.has(mapping)) continue;
      image.prepared.add(mapping);
      this.#options.symbolizer.prepare(image, mapping);
    }
  }

  /** An exec is over only when the executable is mapped; until then nobody can say who it is. */
  #identify(isLast: boolean): void {
    const waiting: Member[] = [];
    for (const member of this.#unidentified) {
      if (member.image.awaitsExecutable && !isLast) waiting.push(member);
      else this.#options.identify(member);
    }
    this.#unidentified = waiting;
  }

  /** Closes the intervals that are over at `timeNs`: more than one when nobody came by for long. */
  #rotateUntil(timeNs: number): void {
    while (timeNs >= this.#endNs) {
      const startNs = this.#endNs;
      this.#close(startNs);
      const { samples, endNs } = this.#options.nextInterval(startNs);
      if (endNs <= startNs) throw new Error(`an interval from ${startNs} to ${endNs}`);
      this.#interval = samples;
      this.#endNs = endNs;
    }
  }

  #close(endNs: number): void {
    this.#interval.endNs = endNs;
    this.#closed.push(this.#interval);
  }
}

function timeAt(words: Uint32Array, offset: number): number {
  const at = (offset + sampleOffset.timeNs) >> 2;
  return (words[at + 1] ?? 0) * 2 ** 32 + (words[at] ?? 0);
}

/** Insertion sort: the ring is in order but for neighbours that two CPUs wrote at the same time. */
function sortByTime(offsets: number[], words: Uint32Array): void {
  for (let i = 1; i < offsets.length; i++) {
    const offset = offsets[i] ?? 0;
    const timeNs = timeAt(words, offset);
    let at = i;
    for (; at > 0 && timeAt(words, offsets[at - 1] ?? 0) > timeNs; at--) offsets[at] = offsets[at - 1] ?? 0;
    offsets[at] = offset;
  }
}
