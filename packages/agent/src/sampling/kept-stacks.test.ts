import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  flagCopied,
  flagRepeated,
  keptWords,
  maxKernelFrames,
  maxLabelWords,
  maxUserFrames,
  sampleBytes,
  sampleOffset,
} from '../kernel/generated/abi.ts';
import { KeptStacks } from './kept-stacks.ts';

const mostFrames = maxKernelFrames + maxUserFrames + maxLabelWords;

interface Fields {
  readonly cpu?: number;
  readonly at?: number;
  readonly count?: number;
  readonly flags?: number;
  readonly kernelFrames?: number;
  readonly userFrames?: number;
  readonly labelWords?: number;
}

/** A record at byte 8, with the frames after it. */
function record(fields: Fields, frames: readonly bigint[]): Uint32Array {
  const bytes = Buffer.alloc(8 + sampleBytes + 8 * frames.length);
  bytes.writeUInt32LE(fields.cpu ?? 0, 8 + sampleOffset.cpu);
  bytes.writeUInt16LE(fields.at ?? 0, 8 + sampleOffset.keptAt);
  bytes.writeUInt16LE(fields.labelWords ?? 0, 8 + sampleOffset.labelWords);
  bytes.writeUInt8(fields.count ?? 0, 8 + sampleOffset.keptCount);
  bytes.writeUInt32LE(fields.flags ?? 0, 8 + sampleOffset.flags);
  bytes.writeUInt16LE(fields.kernelFrames ?? 0, 8 + sampleOffset.kernelFrames);
  bytes.writeUInt16LE(fields.userFrames ?? frames.length, 8 + sampleOffset.userFrames);
  bytes.writeBigUInt64LE(0x0123_4567_89ab_cdefn, 8 + sampleOffset.cgroupId);
  bytes.write('comm', 8 + sampleOffset.comm);
  for (const [i, frame] of frames.entries()) bytes.writeBigUInt64LE(frame, 8 + sampleBytes + 8 * i);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2).slice();
}

interface Read {
  readonly cgroup: string;
  readonly comm: string;
  readonly frames: readonly bigint[];
}

function read(kept: KeptStacks, words: Uint32Array, frames: number): Read {
  const place = kept.place(words, 8);
  const bytes = Buffer.from(place.words.buffer, place.words.byteOffset, place.words.byteLength);
  return {
    cgroup: bytes.readBigUInt64LE(4 * place.cgroupAt).toString(16),
    comm: bytes.toString('latin1', 4 * place.commAt, 4 * place.commAt + 4),
    frames: Array.from({ length: frames }, (_, i) => bytes.readBigUInt64LE(4 * place.framesAt + 8 * i)),
  };
}

/** What bpf/kept.h does on one CPU, but for the hash: every place is looked at, so that as much is repeated as can be. */
class KernelSide {
  readonly #words = new BigUint64Array(keptWords + mostFrames);
  #head = 0;
  #count = 0;

  send(cpu: number, frames: readonly bigint[], isFull: boolean): Uint32Array | undefined {
    const at = this.#find(frames);
    const head = { cpu, count: this.#count & 0xff, userFrames: frames.length };
    if (isFull) return undefined;
    if (at !== undefined) return record({ ...head, at, flags: flagRepeated }, []);
    const whole = record({ ...head, at: this.#head }, frames);
    this.#words.set(frames, this.#head);
    this.#count++;
    const next = this.#head + frames.length;
    this.#head = next < keptWords ? next : 0;
    return whole;
  }

  #find(frames: readonly bigint[]): number | undefined {
    for (let at = 0; at < keptWords; at++) {
      if (frames.every((frame, i) => this.#words[at + i] === frame)) return at;
    }
    return undefined;
  }
}

test('whatever was sent, lost and repeated in between, each record has its own frames', () => {
  // Two addresses and lengths that differ much: stacks that are parts of others, and that lie across others’ borders.
  const stack = fc.oneof(
    { weight: 4, arbitrary: fc.array(fc.constantFrom(1n, 2n), { minLength: 1, maxLength: 12 }) },
    { weight: 1, arbitrary: fc.array(fc.bigInt(0n, 7n), { minLength: 200, maxLength: mostFrames }) },
  );
  const sent = fc.record({ cpu: fc.nat(1), stack, isFull: fc.integer({ min: 0, max: 9 }).map((each) => each === 0) });
  const seen = { repeated: 0, rounds: 0 };
  fc.assert(
    fc.property(fc.array(sent, { minLength: 60, maxLength: 120, size: 'max' }), (all) => {
      const kernel = [new KernelSide(), new KernelSide()];
      const kept = new KeptStacks();
      for (const { cpu, stack: frames, isFull } of all) {
        const words = kernel[cpu]?.send(cpu, frames, isFull);
        if (words === undefined) continue;
        expect(read(kept, words, frames.length)).toEqual({ cgroup: '123456789abcdef', comm: 'comm', frames });
      }
      seen.repeated += kept.repeats;
      if (all.reduce((sum, each) => sum + each.stack.length, 0) > 2 * keptWords) seen.rounds++;
    }),
    { numRuns: 100 },
  );
  expect(seen.repeated).toBeGreaterThan(100);
  expect(seen.rounds).toBeGreaterThan(0);
});

describe('what does not fit what was kept is refused', () => {
  const cases: Record<string, Fields> = {
    'a repetition before anything was kept': { flags: flagRepeated, userFrames: 3, count: 1 },
    'a record after one that never came': { userFrames: 1, count: 1 },
    'a place behind the last word': { userFrames: 1, at: keptWords },
    'more frames than there can be': { userFrames: mostFrames + 1 },
  };
  test.each(Object.entries(cases))('%s', (_, fields) => {
    expect(() => new KeptStacks().place(record(fields, [1n]), 8)).toThrow(/CPU 0/u);
  });
});

test('records without frames, and copies, are not kept', () => {
  const kept = new KeptStacks();
  read(kept, record({ userFrames: 0 }, []), 0);
  read(kept, record({ flags: flagCopied, kernelFrames: 1, userFrames: 0 }, [5n]), 1);
  expect(read(kept, record({ count: 0 }, [6n]), 1).frames).toEqual([6n]);
  expect(() => read(kept, record({ count: 0 }, [7n]), 1)).toThrow(/after 0 stacks, here 1/u);
});

test('labels are kept with the frames before them', () => {
  const kept = new KeptStacks();
  const all = [1n, 2n, 0x100n, 0x200n];
  read(kept, record({ userFrames: 2, labelWords: 2 }, all), 4);
  const again = record({ count: 1, flags: flagRepeated, userFrames: 2, labelWords: 2 }, []);
  expect(read(kept, again, 4).frames).toEqual(all);
});
