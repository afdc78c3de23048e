import type { LossCounters } from '../health/counters.ts';
import {
  copyBytes,
  copyOffset,
  endStale,
  flagCompat,
  flagCopied,
  flagKernelFailed,
  flagKernelThread,
  flagKernelTruncated,
  labelsCutContext,
  labelsCutKey,
  labelsCutNumber,
  labelsCutRoom,
  labelsCutUnread,
  labelsCutValue,
  maxTopBytes,
  sampleBytes,
  sampleOffset,
} from '../kernel/generated/abi.ts';
import { agree, findMapping } from '../processes/mapping-list.ts';
import { parsePerfRecord, type PerfRecord } from '../processes/perf-record.ts';
import type { ProcessMapping } from '../processes/process.ts';
import type { ProcessImage } from '../processes/process-image.ts';
import type { ProcessTable } from '../processes/process-table.ts';
import { isNote } from '../runtimes/frame-note.ts';
import type { Runtimes } from '../runtimes/runtimes.ts';
import type { Symbolizer } from '../symbols/symbolizer.ts';
import type { ProcessContexts } from '../tables/process-contexts.ts';
import type { StackTables } from '../tables/stack-tables.ts';
import { CopiedSamples } from './copied-samples.ts';
import { type IntervalSamples, type Member, readComm, type SampleInRing } from './interval-samples.ts';
import { KeptStacks } from './kept-stacks.ts';

/**
 * What happened less than this before a drain is left for the next one: another CPU may still be writing it. A record or a
 * sample takes microseconds from its time stamp to the ring; a virtual CPU can be taken away in between.
 */
const settleNs = 5e6;

const labelCuts = [
  [labelsCutNumber, 'number'],
  [labelsCutKey, 'key'],
  [labelsCutValue, 'value'],
  [labelsCutRoom, 'room'],
  [labelsCutUnread, 'unread'],
  [labelsCutContext, 'context'],
] as const;

/** Makes the next interval. `startNs` is CLOCK_MONOTONIC; `endNs` is exclusive and above it. */
export type IntervalClock = (startNs: number) => { readonly samples: IntervalSamples; readonly endNs: number };

/** Where samples and records come from: KernelSource, or what a test has written. */
export interface SampleSource {
  readonly samples: {
    readonly bytes: Uint8Array;
    /** The same memory. */
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
  readonly runtimes: Pick<Runtimes, 'see' | 'refresh' | 'threadLabel'>;
  readonly stacks: Pick<
    StackTables,
    'unwind' | 'see' | 'touch' | 'distrust' | 'otherMappingsOf' | 'flush' | 'onSettled'
  >;
  readonly contexts: Pick<ProcessContexts, 'begin' | 'see'>;
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
  readonly #copied: CopiedSamples;
  #copies = 0;
  #drains = 0;
  readonly #kept = new KeptStacks();

  /** `startNs`: CLOCK_MONOTONIC; the instant from which on samples are taken. */
  constructor(options: CollectorOptions, startNs: number) {
    this.#options = options;
    const { samples, endNs } = options.nextInterval(startNs);
    this.#interval = samples;
    this.#endNs = endNs;
    const { stacks, losses } = options;
    this.#copied = new CopiedSamples({ stacks, losses, add: (interval, sample) => this.#add(interval, sample) });
  }

  /** Samples so far whose stacks came as copies. */
  get copies(): number {
    return this.#copies;
  }

  /** Samples so far whose frames the kernel did not send again. */
  get repeats(): number {
    return this.#kept.repeats;
  }

  /** Resolves when all samples of an interval that is over have their frames. */
  settle(interval: IntervalSamples): Promise<void> {
    return this.#copied.settle(interval);
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

    this.#options.runtimes.refresh();
    this.#options.contexts.begin();
    this.#drains++;
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
    this.#options.stacks.flush((image) => this.#options.table.isCurrent(image));
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
    const place = this.#kept.place(words, offset);
    const pid = word(sampleOffset.pid);
    let image = table.find(pid, (flags & flagKernelThread) !== 0);
    image ??= table.get(
      pid,
      readComm(place.words.subarray(place.commAt, place.commAt + 4)),
      (flags & flagKernelThread) !== 0,
    );
    if (accepts !== undefined && !accepts(image)) return;
    this.#options.contexts.see(image);
    if ((flags & flagKernelFailed) !== 0) losses.add('samples_lost', 'copy_failed');
    if ((flags & flagKernelTruncated) !== 0) losses.add('stacks_truncated', 'kernel_depth');
    const kernelFrames = word(sampleOffset.kernelFrames) & 0xffff;
    const labelWords = 2 * (word(sampleOffset.keptAt) >>> 16);
    const sample = {
      image,
      mappings: image.mappings,
      tid: word(sampleOffset.tid),
      threadPointer: word(sampleOffset.threadPointer + 4) * 2 ** 32 + word(sampleOffset.threadPointer),
      ...place,
      kernelFrames,
      labelWords,
    };
    if ((flags & flagCopied) !== 0) {
      this.#takeCopy(sample, offset + sampleBytes + 8 * kernelFrames, offset, timeNs);
      return;
    }
    const userFrames = word(sampleOffset.kernelFrames) >>> 16;
    const ending = word(sampleOffset.guessedFrom);
    const labelsAt = place.framesAt + 2 * (kernelFrames + userFrames);
    const unwound = { ...sample, labelsAt, userFrames, guessedFrom: ending & 0xffff, userEnd: (ending >>> 16) & 0xff };
    this.#add(this.#interval, this.#withoutStale(unwound, word(sampleOffset.generation)));
  }

  /** `copyAt`: byte offset in the ring of an ef_copy with the stack after it; `offset` that of its sample. */
  #takeCopy(
    sample: Omit<SampleInRing, 'userFrames' | 'guessedFrom' | 'userEnd' | 'labelsAt'>,
    copyAt: number,
    offset: number,
    timeNs: number,
  ): void {
    const { stacks, table, source } = this.#options;
    const stackBytes = sample.words[(offset + sampleOffset.copyBytes) >> 2] ?? 0;
    const isKnown = (sample.words[(offset + sampleOffset.generation) >> 2] ?? 0) !== 0;
    const is32Bit = ((sample.words[(offset + sampleOffset.flags) >> 2] ?? 0) & flagCompat) !== 0;
    const topBytes = sample.words[(offset + sampleOffset.topBytes) >> 2] ?? 0;
    const pythonBytes = (sample.words[(offset + sampleOffset.keptAt) >> 2] ?? 0) & 0xffff;
    const end = copyAt + copyBytes + stackBytes + (topBytes > 0 ? maxTopBytes : 0) + pythonBytes;
    const copy = source.samples.bytes.subarray(copyAt, end);
    const { image } = sample;
    const pcAt = (copyAt + copyOffset.pc) >> 2;
    const pc = addressAt(sample.words, pcAt);
    // No record told of this code: it was there before us, or records were lost.
    if (findMapping(image.mappings, pc) === undefined) table.refresh(image, timeNs);
    this.#copies++;
    stacks.see(image, copy);
    this.#meet(this.#interval.meet(sample).newMember);
    this.#prepare(image, image.mappings, pc);
    const labelsAt = end >> 2;
    const parts = { copy, stackBytes, topBytes, pythonBytes, labelsAt };
    this.#copied.take(this.#interval, { ...sample, ...parts, is32Bit, isKnown });
  }

  #add(interval: IntervalSamples, sample: SampleInRing): void {
    const { isNewStack, newMember, thread, isLabelled, hasSpan } = interval.add(sample);
    this.#meet(newMember);
    if (interval.threadLabels.isOpen(thread, this.#drains)) {
      const label = this.#options.runtimes.threadLabel(sample.image, sample.tid, sample.threadPointer);
      interval.threadLabels.set(thread, this.#drains, label);
    }
    if (sample.labelWords > 0) this.#countCut((sample.words[sample.labelsAt + 1] ?? 0) & 0xffff, isLabelled);
    if (!hasSpan) this.#options.losses.add('labels_cut', 'spans');
    if (!isNewStack) return;
    const { words, framesAt, kernelFrames, userFrames } = sample;
    let pc = 0;
    for (let frame = kernelFrames; frame < kernelFrames + userFrames; frame++) {
      const at = framesAt + 2 * frame;
      const high = words[at + 1] ?? 0;
      if (isNote(high)) {
        this.#options.runtimes.see(sample.image, pc, words[at] ?? 0, high);
      } else {
        pc = high * 2 ** 32 + (words[at] ?? 0);
        this.#prepare(sample.image, sample.mappings, addressAt(words, at));
      }
    }
  }

  /** `cut`: of struct ef_labels in bpf/abi.h. */
  #countCut(cut: number, isLabelled: boolean): void {
    const { losses } = this.#options;
    if (!isLabelled) losses.add('labels_cut', 'sets');
    for (const [bit, cause] of labelCuts) if ((cut & bit) !== 0) losses.add('labels_cut', cause);
  }

  #meet(member: Member | undefined): void {
    if (member !== undefined && member.labels === undefined) this.#unidentified.push(member);
  }

  /**
   * The kernel part learns of a new mapping some drains after it was made. Where it replaced another of the same size, a sample may have
   * been unwound by what was there before: its stack is cut at the first frame that meant something else by then.
   */
  #withoutStale(sample: SampleInRing, generation: number): SampleInRing {
    if (generation === 0) return sample;
    const { image, words, framesAt, kernelFrames, userFrames } = sample;
    const before = this.#options.stacks.otherMappingsOf(image, generation);
    if (before === undefined) return sample;
    for (let frame = 0; frame < userFrames; frame++) {
      const address = addressAt(words, framesAt + 2 * (kernelFrames + frame));
      const now = findMapping(image.mappings, address);
      const then = findMapping(before, address);
      if (now === then || (now !== undefined && then !== undefined && agree(now, then))) continue;
      this.#options.losses.add('stacks_truncated', 'stale_mapping');
      this.#options.stacks.distrust(image);
      return { ...sample, userFrames: frame, guessedFrom: Math.min(sample.guessedFrom, frame), userEnd: endStale };
    }
    return sample;
  }

  /** Tells the symbolizer of a mapping that a sample hits for the first time: its file may be gone in a moment. */
  #prepare(image: ProcessImage, mappings: readonly ProcessMapping[], address: bigint): void {
    const mapping = findMapping(mappings, address);
    if (mapping === undefined) return;
    this.#options.stacks.touch(mapping);
    image.prepared ??= new Set();
    if (image.prepared.has(mapping)) return;
    image.prepared.add(mapping);
    this.#options.symbolizer.prepare(image, mapping);
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

function addressAt(words: Uint32Array, at: number): bigint {
  return (BigInt(words[at + 1] ?? 0) << 32n) | BigInt(words[at] ?? 0);
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
