import { maxKernelFrames, maxLabelWords, maxUserFrames } from '../kernel/generated/abi.ts';
import type { SeriesLabels } from '../processes/identity.ts';
import type { ProcessMapping } from '../processes/process.ts';
import type { ProcessImage } from '../processes/process-image.ts';
import { WordTable } from '../words/word-table.ts';
import { ThreadLabels } from './thread-labels.ts';

/** One sample of the ring, by reference: `words` are valid only until the ring is released. */
export interface SampleInRing {
  readonly image: ProcessImage;
  /** Of the process when the sample was taken. */
  readonly mappings: readonly ProcessMapping[];
  readonly tid: number;
  /** What pthread_self answers in the thread; 0: not known. */
  readonly threadPointer: number;
  readonly words: Uint32Array;
  /** Index in `words` of the cgroup id (2 words), the comm (4 words) and the first frame (2 words each, kernel first). */
  readonly cgroupAt: number;
  readonly commAt: number;
  readonly framesAt: number;
  readonly kernelFrames: number;
  readonly userFrames: number;
  /** User frames from this one on were guessed by a frame pointer. */
  readonly guessedFrom: number;
  /** `end…` of bpf/abi.h: why the user stack ends. */
  readonly userEnd: number;
  /** Index in `words` of the labels that the program has set, and how many words they are; see ProgramLabels. */
  readonly labelsAt: number;
  readonly labelWords: number;
}

/** A program in a cgroup: what a series is told from. */
export interface Member {
  readonly image: ProcessImage;
  readonly cgroupId: bigint;
  /** Undefined until it was asked for. */
  labels: SeriesLabels | undefined;
}

/** Words before the frames of a stack row: image, kernel frames, user frames, end | guessedFrom << 16. */
const stackHeader = 4;
/** member, tid, comm */
const threadWords = 6;
/** Words of an ef_labels in front of the context of a thread, and of that context: the ids of trace and span. */
const contextAt = 2;
const idWords = 6;
/** Spans that are told apart in an interval: a service may have one for each sample. 400 a second in intervals of 10 s. */
const mostSpans = 4096;
/** Sets of labels that are told apart in an interval, since a program may set others for each request; a set has 1 KB at most. */
const mostLabelSets = 10_000;

/**
 * The samples of one interval, equal ones counted: (stack, thread, labels) → count. Everything is rows of interned words, so that a
 * sample seen before costs two look-ups and no garbage.
 */
export class IntervalSamples {
  /** CLOCK_MONOTONIC. */
  readonly startNs: number;
  /** CLOCK_MONOTONIC; exclusive. Set when the interval is over. */
  endNs: number;
  /** Nanoseconds since the Unix epoch of `startNs`. */
  readonly startUnixNs: bigint;
  readonly images: ProcessImage[] = [];
  readonly members: Member[] = [];
  /** By row of the thread. */
  readonly threadLabels = new ThreadLabels();
  readonly #imageRows = new Map<ProcessImage, number>();
  readonly #memberWords = new WordTable();
  readonly #stacks = new WordTable();
  readonly #threads = new WordTable();
  /** Row 0 has none. */
  readonly #labels = new WordTable();
  /** Ids of trace and span. */
  readonly #spans = new WordTable();
  readonly #samples = new WordTable();
  #counts = new Uint32Array(256);
  #total = 0;
  readonly #scratch = new Uint32Array(stackHeader + 2 * (maxKernelFrames + maxUserFrames + maxLabelWords));

  constructor(startNs: number, startUnixNs: bigint) {
    this.startNs = startNs;
    this.endNs = startNs;
    this.startUnixNs = startUnixNs;
    this.#labels.intern(this.#scratch, 0);
  }

  /** Samples added. */
  get total(): number {
    return this.#total;
  }

  /** Resident bytes of the tables. */
  get bytes(): number {
    const tables = [this.#stacks, this.#threads, this.#labels, this.#spans, this.#samples];
    return tables.reduce((sum, { bytes }) => sum + bytes, this.#counts.byteLength);
  }

  get stackCount(): number {
    return this.#stacks.length;
  }

  get sampleCount(): number {
    return this.#samples.length;
  }

  /** Answers what is new with this sample, so that it can be looked at while its process may still live. */
  add(sample: SampleInRing): {
    readonly isNewStack: boolean;
    readonly newMember: Member | undefined;
    /** Its row. */
    readonly thread: number;
    /** False where there were too many sets of labels: the sample has none. */
    readonly isLabelled: boolean;
    /** False where there were too many spans: the sample lacks the ids of its own. */
    readonly hasSpan: boolean;
  } {
    const { words, framesAt, kernelFrames, userFrames } = sample;
    const scratch = this.#scratch;
    const image = this.#imageRow(sample.image);
    const { member, newMember } = this.meet(sample);

    scratch[0] = member;
    scratch[1] = sample.tid;
    for (let i = 0; i < 4; i++) scratch[2 + i] = words[sample.commAt + i] ?? 0;
    const thread = this.#threads.intern(scratch, threadWords);

    const frameWords = 2 * (kernelFrames + userFrames);
    const knownStacks = this.#stacks.length;
    scratch[0] = image;
    scratch[1] = kernelFrames;
    scratch[2] = userFrames;
    scratch[3] = sample.userEnd | (Math.min(sample.guessedFrom, userFrames) << 16);
    for (let i = 0; i < frameWords; i++) scratch[stackHeader + i] = words[framesAt + i] ?? 0;
    const stack = this.#stacks.intern(scratch, stackHeader + frameWords);

    const { labels, hasSpan } = this.#labelRow(sample);
    scratch[0] = stack;
    scratch[1] = thread;
    scratch[2] = labels ?? 0;
    const row = this.#samples.intern(scratch, 3);
    if (row >= this.#counts.length) {
      const counts = new Uint32Array(this.#counts.length * 2);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    this.#counts[row] = (this.#counts[row] ?? 0) + 1;
    this.#total++;
    return { isNewStack: stack === knownStacks, newMember, thread, isLabelled: labels !== undefined, hasSpan };
  }

  /** The program in its cgroup, noted before the frames are known. */
  meet({ image, words, cgroupAt }: Pick<SampleInRing, 'image' | 'words' | 'cgroupAt'>): {
    readonly member: number;
    readonly newMember: Member | undefined;
  } {
    const scratch = this.#scratch;
    const known = this.#memberWords.length;
    scratch[0] = this.#imageRow(image);
    scratch[1] = words[cgroupAt] ?? 0;
    scratch[2] = words[cgroupAt + 1] ?? 0;
    const member = this.#memberWords.intern(scratch, 3);
    return { member, newMember: member === known ? this.#addMember(image, scratch) : undefined };
  }

  /** Frames of a stack: pairs of words (low, high), kernel frames first, leaf first. Valid until the next `add`. */
  stack(row: number): {
    readonly image: number;
    readonly kernelFrames: number;
    readonly userFrames: number;
    readonly userEnd: number;
    readonly guessedFrom: number;
    readonly frames: Uint32Array;
  } {
    const words = this.#stacks.row(row);
    const ending = words[3] ?? 0;
    return {
      image: words[0] ?? 0,
      kernelFrames: words[1] ?? 0,
      userFrames: words[2] ?? 0,
      userEnd: ending & 0xffff,
      guessedFrom: ending >>> 16,
      frames: words.subarray(stackHeader),
    };
  }

  thread(row: number): { readonly member: number; readonly tid: number; readonly comm: string } {
    const words = this.#threads.row(row);
    return { member: words[0] ?? 0, tid: words[1] ?? 0, comm: readComm(words.subarray(2)) };
  }

  /** Words of a struct ef_labels of bpf/abi.h with what follows it; none in row 0. Valid until the next `add`. */
  labels(row: number): Uint32Array {
    return this.#labels.row(row);
  }

  sample(row: number): {
    readonly stack: number;
    readonly thread: number;
    readonly labels: number;
    readonly count: number;
  } {
    const words = this.#samples.row(row);
    return { stack: words[0] ?? 0, thread: words[1] ?? 0, labels: words[2] ?? 0, count: this.#counts[row] ?? 0 };
  }

  #labelRow({ words, labelsAt, labelWords }: SampleInRing): {
    readonly labels: number | undefined;
    readonly hasSpan: boolean;
  } {
    if (labelWords === 0) return { labels: 0, hasSpan: true };
    const scratch = this.#scratch;
    for (let i = 0; i < labelWords; i++) scratch[i] = words[labelsAt + i] ?? 0;
    const hasSpan = this.#keepSpan(scratch);
    // A set that is known is taken when there is no room for others, too.
    const isFull = this.#labels.length >= mostLabelSets;
    const labels = isFull ? this.#labels.find(scratch, labelWords) : this.#labels.intern(scratch, labelWords);
    return { labels, hasSpan };
  }

  /** Takes the ids of trace and span out of `words` where there are too many already: what else there is of labels stays. */
  #keepSpan(words: Uint32Array): boolean {
    const hasContext = (words[1] ?? 0) >>> 16 !== 0;
    if (!hasContext) return true;
    const ids = words.subarray(contextAt, contextAt + idWords);
    if (this.#spans.length < mostSpans) this.#spans.intern(ids, idWords);
    else if (this.#spans.find(ids, idWords) === undefined) {
      ids.fill(0);
      return false;
    }
    return true;
  }

  #imageRow(image: ProcessImage): number {
    let row = this.#imageRows.get(image);
    if (row === undefined) {
      row = this.images.length;
      this.images.push(image);
      this.#imageRows.set(image, row);
    }
    return row;
  }

  #addMember(image: ProcessImage, words: Uint32Array): Member {
    const cgroupId = (BigInt(words[2] ?? 0) << 32n) | BigInt(words[1] ?? 0);
    const member: Member = { image, cgroupId, labels: image.labelsIn(cgroupId) };
    this.members.push(member);
    return member;
  }
}

/** A comm of the kernel: up to 16 bytes, ended by the first NUL. */
export function readComm(words: Uint32Array): string {
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
