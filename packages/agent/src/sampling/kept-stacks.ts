import {
  flagCopied,
  flagRepeated,
  keptRoom,
  keptWords,
  maxKernelFrames,
  maxLabelWords,
  maxUserFrames,
  sampleBytes,
  sampleOffset,
} from '../kernel/generated/abi.ts';
import type { SampleInRing } from './interval-samples.ts';

/** Words of a sample that is put together here: cgroup id, comm, frames. */
const commAt = 2;
const framesAt = 6;
const mostFrames = maxKernelFrames + maxUserFrames + maxLabelWords;

interface Kept {
  /** Frames and labels, two words for each of the kernel's. */
  readonly words: Uint32Array;
  /** Stacks so far. */
  count: number;
}

/**
 * The frames that each CPU has sent lately, with the labels behind them, at the places where the kernel part keeps them, too (bpf/kept.h): a record that repeats a stack says
 * only where it lies. Exact as long as each record is shown to `place`, those of a CPU in order.
 */
export class KeptStacks {
  readonly #cpus: (Kept | undefined)[] = [];
  readonly #words = new Uint32Array(framesAt + 2 * mostFrames);
  #repeats = 0;

  /** Records so far that repeated a stack. */
  get repeats(): number {
    return this.#repeats;
  }

  /**
   * Where the parts of the record at byte `offset` of the ring lie, valid until the next call. Throws when the record does not fit what was kept
   * before: its frames would be others.
   */
  place(words: Uint32Array, offset: number): Pick<SampleInRing, 'words' | 'cgroupAt' | 'commAt' | 'framesAt'> {
    const word = (field: number): number => words[(offset + field) >> 2] ?? 0;
    const flags = word(sampleOffset.flags);
    const inRing = {
      words,
      cgroupAt: (offset + sampleOffset.cgroupId) >> 2,
      commAt: (offset + sampleOffset.comm) >> 2,
      framesAt: (offset + sampleBytes) >> 2,
    };
    const both = word(sampleOffset.kernelFrames);
    const place = word(sampleOffset.keptAt);
    const frames = (both & 0xffff) + (both >>> 16) + (place >>> 16);
    if ((flags & flagCopied) !== 0 || frames === 0) return inRing;
    const cpu = word(sampleOffset.cpu);
    const at = place & 0xffff;
    const kept = (this.#cpus[cpu] ??= { words: new Uint32Array(2 * keptRoom), count: 0 });
    const count = word(sampleOffset.guessedFrom) >>> 24;
    if (at >= keptWords || frames > mostFrames || (kept.count & 0xff) !== count) {
      throw new Error(`CPU ${cpu}: ${frames} frames at word ${at} after ${count} stacks, here ${kept.count}`);
    }
    if ((flags & flagRepeated) === 0) {
      kept.words.set(words.subarray(inRing.framesAt, inRing.framesAt + 2 * frames), 2 * at);
      kept.count++;
      return inRing;
    }
    this.#repeats++;
    const repeated = this.#words;
    repeated.set(words.subarray(inRing.cgroupAt, inRing.cgroupAt + 2));
    repeated.set(words.subarray(inRing.commAt, inRing.commAt + 4), commAt);
    repeated.set(kept.words.subarray(2 * at, 2 * (at + frames)), framesAt);
    return { words: repeated, cgroupAt: 0, commAt, framesAt };
  }
}
