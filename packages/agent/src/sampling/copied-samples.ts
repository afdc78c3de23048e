import type { LossCounters } from '../health/counters.ts';
import { endDepth, maxUserFrames } from '../kernel/generated/abi.ts';
import type { ProcessMapping } from '../processes/process.ts';
import type { ProcessImage } from '../processes/process-image.ts';
import type { StackTables } from '../tables/stack-tables.ts';
import type { TableModule } from '../tables/table-store.ts';
import type { IntervalSamples, SampleInRing } from './interval-samples.ts';

/** Copies that wait for tables, all together; a second of full copies on two busy CPUs is 6 MB. */
const mostWaitingBytes = 16 << 20;
/** A table that has not come so long after the end of the interval is done without: libLLVM's takes a second. */
const patienceMs = 5000;
/** Words of a sample before its frames: cgroup id and comm. */
const commAt = 2;
const framesAt = 6;

/** A sample whose user stack was copied. `copy` is valid only during the call. */
export interface CopiedSample {
  readonly image: ProcessImage;
  readonly tid: number;
  /** As in SampleInRing. */
  readonly threadPointer: number;
  readonly words: Uint32Array;
  /** As in SampleInRing; no user frames lie there. */
  readonly cgroupAt: number;
  readonly commAt: number;
  readonly framesAt: number;
  readonly kernelFrames: number;
  /** An ef_copy and the stack after it. */
  readonly copy: Uint8Array;
  readonly stackBytes: number;
  readonly topBytes: number;
  readonly pythonBytes: number;
  readonly is32Bit: boolean;
  readonly isKnown: boolean;
  /** As in SampleInRing. */
  readonly labelsAt: number;
  readonly labelWords: number;
}

interface Waiting {
  readonly interval: IntervalSamples;
  readonly sample: CopiedSample;
  readonly mappings: readonly ProcessMapping[];
  module: TableModule;
}

export interface CopiedSamplesOptions {
  readonly stacks: Pick<StackTables, 'unwind' | 'onSettled'>;
  readonly losses: LossCounters;
  /** Called with each sample once its frames are known. */
  readonly add: (interval: IntervalSamples, sample: SampleInRing) => void;
}

/** Turns copied stacks into frames: at once where all tables are there, else when they have been made. */
export class CopiedSamples {
  readonly #options: CopiedSamplesOptions;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  readonly #settling = new Map<IntervalSamples, () => void>();

  constructor(options: CopiedSamplesOptions) {
    this.#options = options;
    options.stacks.onSettled = (module) => this.#retry((each) => each.module === module, true);
  }

  take(interval: IntervalSamples, sample: CopiedSample): void {
    const { mappings } = sample.image;
    const missing = this.#unwind(interval, sample, mappings, this.#waitingBytes < mostWaitingBytes);
    if (missing === undefined) return;
    const kept: CopiedSample = {
      ...sample,
      words: headOf(sample),
      cgroupAt: 0,
      commAt,
      framesAt,
      labelsAt: framesAt + 2 * sample.kernelFrames,
      copy: sample.copy.slice(),
    };
    this.#waiting.push({ interval, sample: kept, mappings, module: missing });
    this.#waitingBytes += kept.copy.length;
  }

  /** Resolves when no sample of the interval waits any more. */
  async settle(interval: IntervalSamples): Promise<void> {
    if (!this.#waiting.some((each) => each.interval === interval)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settling.set(interval, resolve);
    const timer = setTimeout(() => this.#retry((each) => each.interval === interval, false), patienceMs);
    await promise;
    clearTimeout(timer);
  }

  #retry(isMeant: (waiting: Waiting) => boolean, mayWait: boolean): void {
    const before = this.#waiting;
    this.#waiting = [];
    for (const each of before) {
      const missing = isMeant(each) ? this.#unwind(each.interval, each.sample, each.mappings, mayWait) : each.module;
      if (missing === undefined) {
        this.#waitingBytes -= each.sample.copy.length;
      } else {
        each.module = missing;
        this.#waiting.push(each);
      }
    }
    for (const [interval, resolve] of this.#settling) {
      if (this.#waiting.some((each) => each.interval === interval)) continue;
      this.#settling.delete(interval);
      resolve();
    }
  }

  /** Answers the module whose table is missing; undefined when the sample was added. */
  #unwind(
    interval: IntervalSamples,
    sample: CopiedSample,
    mappings: readonly ProcessMapping[],
    mayWait: boolean,
  ): TableModule | undefined {
    const { image, tid, threadPointer, kernelFrames, labelWords } = sample;
    const { copy, stackBytes, topBytes, pythonBytes, is32Bit, isKnown } = sample;
    const stack = { image, mappings, copy, stackBytes, topBytes, pythonBytes, threadPointer, is32Bit, isKnown };
    const unwound = this.#options.stacks.unwind({ ...stack, isInKernel: kernelFrames > 0 }, mayWait);
    if ('module' in unwound) return unwound.module;
    if (!mayWait) this.#options.losses.add('stacks_truncated', 'table_late');
    const { addresses, notes, guessedFrom, end, lacksLabels } = unwound;
    if (lacksLabels) this.#options.losses.add('labels_cut', 'copied');
    const head = headOf(sample);
    const userAt = framesAt + 2 * kernelFrames;
    const words = new Uint32Array(userAt + 2 * maxUserFrames + labelWords);
    words.set(head.subarray(0, userAt));
    // Behind the room for frames.
    const labelsAt = words.length - labelWords;
    words.set(head.subarray(userAt), labelsAt);
    let at = userAt;
    let guessedWords = Infinity;
    // Notes take the room of frames.
    let isDeep = false;
    for (const [i, address] of addresses.entries()) {
      if (at >= labelsAt) {
        isDeep = true;
        break;
      }
      if (i === guessedFrom) guessedWords = (at - userAt) / 2;
      words[at++] = address % 2 ** 32;
      words[at++] = Math.floor(address / 2 ** 32);
      for (const { low, high } of notes[i] ?? []) {
        if (at >= labelsAt) {
          isDeep = true;
          break;
        }
        words[at++] = low;
        words[at++] = high;
      }
    }
    const userFrames = (at - userAt) / 2;
    this.#options.add(interval, {
      image,
      mappings,
      tid,
      threadPointer,
      words,
      cgroupAt: 0,
      commAt,
      framesAt,
      kernelFrames,
      userFrames,
      guessedFrom: Math.min(guessedWords, userFrames),
      userEnd: isDeep ? endDepth : end,
      labelsAt,
      labelWords,
    });
    return undefined;
  }
}

/** cgroup id, comm, kernel frames and labels of a sample, as words of their own. */
function headOf(sample: CopiedSample): Uint32Array {
  const { words, cgroupAt, commAt: from, framesAt: frames, kernelFrames, labelsAt, labelWords } = sample;
  const head = new Uint32Array(framesAt + 2 * kernelFrames + labelWords);
  head.set(words.subarray(cgroupAt, cgroupAt + 2));
  head.set(words.subarray(from, from + 4), commAt);
  head.set(words.subarray(frames, frames + 2 * kernelFrames), framesAt);
  head.set(words.subarray(labelsAt, labelsAt + labelWords), framesAt + 2 * kernelFrames);
  return head;
}
