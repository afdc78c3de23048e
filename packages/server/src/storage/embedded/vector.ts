/**
 * One profile's samples as the store keeps them: rows in order of (stack, label set), each column after the other.
 *
 *     time in the millisecond, ns   varint
 *     duration, ns                  zigzag
 *     main mapping                  varint
 *     rows                          varint
 *     stacks                        varint difference to the row before, each
 *     label sets                    varint index into the profile's list of label sets, each
 *     values, type by type          zigzag each
 *     counts                        zigzag each; absent where a sample type is samples/count
 *
 * In the data base a codec byte stands before it: 0 as it is, 1 zstd.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { columnSum, discard, type PathProfile, type Profile } from '@everflame/profile';
import { ByteReader, type ByteWriter } from './bytes.ts';
import type { InternedProfile } from './profile-interning.ts';
import { countTypeIndex } from './header.ts';

/** What a row of the table of profiles holds beside its keys. */
export interface EncodedProfile {
  /** Distinct label sets, ascending, as varint differences. */
  readonly labelSets: Uint8Array;
  /** Sum of each sample type as zigzag, then the sum of the counts. */
  readonly totals: Uint8Array;
  readonly data: Uint8Array;
  readonly samples: number;
}

export function encodeVector(
  profile: Profile | PathProfile,
  interned: InternedProfile,
  out: ByteWriter,
): EncodedProfile {
  const { samples, sampleTypes } = profile;
  const rows = samples.length;
  const { stacks } = interned;
  const sets = new Uint32Array(rows);
  const order = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) {
    order[i] = i;
    sets[i] = interned.labelSets[samples.labelSet[i] ?? 0] ?? 0;
  }
  order.sort((a, b) => (stacks[a] ?? 0) - (stacks[b] ?? 0) || (sets[a] ?? 0) - (sets[b] ?? 0) || a - b);

  const distinct = Uint32Array.from(new Set(sets)).sort();
  const indexOf = new Map<number, number>();
  for (const [index, set] of distinct.entries()) indexOf.set(set, index);
  out.length = 0;
  let previous = 0;
  out.varint(distinct.length);
  for (const set of distinct) {
    out.varint(set - previous);
    previous = set;
  }
  const labelSets = out.take();

  out.length = 0;
  const types = sampleTypes.length;
  let count = 0;
  for (let i = 0; i < rows; i++) count += samples.count[i] ?? 0;
  for (let t = 0; t < types; t++) out.bigint(columnSum(samples.values, t, types));
  out.bigint(BigInt(Math.trunc(count)));
  const totals = out.take();

  out.length = 0;
  out.varint(Number(profile.timeNanos % 1_000_000n));
  out.bigint(profile.durationNanos);
  out.varint(interned.mainMapping);
  out.varint(rows);
  previous = 0;
  for (const i of order) {
    out.varint((stacks[i] ?? 0) - previous);
    previous = stacks[i] ?? 0;
  }
  for (const i of order) out.varint(indexOf.get(sets[i] ?? 0) ?? 0);
  const words = new Int32Array(samples.values.buffer, samples.values.byteOffset, samples.values.length * 2);
  for (let t = 0; t < types; t++) {
    for (const i of order) {
      const at = (i * types + t) * 2;
      out.zigzag(words[at] ?? 0, words[at + 1] ?? 0);
    }
  }
  if (countTypeIndex(sampleTypes) < 0) for (const i of order) out.bigint(BigInt(Math.trunc(samples.count[i] ?? 0)));
  discard(sets, order);
  return { labelSets, totals, data: pack(out.take()), samples: count };
}

/** A cursor over a stored profile, unpacked: read the parts in their order. */
export class VectorReader {
  readonly #in: ByteReader;
  readonly timeRestNanos: number;
  readonly durationNanos: bigint;
  readonly mainMapping: number;
  readonly rows: number;

  constructor(data: Uint8Array) {
    this.#in = new ByteReader(data);
    this.timeRestNanos = this.#in.varint();
    this.durationNanos = this.#in.bigint();
    this.mainMapping = this.#in.varint();
    this.rows = this.#in.varint();
  }

  /** Fills the first `rows` elements. */
  stacks(into: Uint32Array): void {
    let stack = 0;
    for (let i = 0; i < this.rows; i++) {
      stack += this.#in.varint();
      into[i] = stack;
    }
  }

  /** Indices into the profile's list of label sets. */
  labelSets(into: Uint32Array): void {
    for (let i = 0; i < this.rows; i++) into[i] = this.#in.varint();
  }

  /** One sample type's column; the last column is the counts. */
  numbers(each: (row: number, low: number, high: number) => void): void {
    const input = this.#in;
    for (let i = 0; i < this.rows; i++) {
      input.zigzag();
      each(i, input.low, input.high);
    }
  }
}

export function decodeLabelSets(bytes: Uint8Array): Uint32Array {
  const input = new ByteReader(bytes);
  const sets = new Uint32Array(input.varint());
  let set = 0;
  for (let i = 0; i < sets.length; i++) {
    set += input.varint();
    sets[i] = set;
  }
  return sets;
}

export interface Totals {
  /** One per sample type. */
  readonly values: readonly bigint[];
  readonly samples: number;
}

export function decodeTotals(bytes: Uint8Array, types: number): Totals {
  const input = new ByteReader(bytes);
  const values: bigint[] = [];
  for (let t = 0; t < types; t++) values.push(input.bigint());
  return { values, samples: Number(input.bigint()) };
}

/** Below this a zstd call costs more time than its bytes are worth (about 50 µs against 1 µs to read them). */
const compressAboveBytes = 16_384;

/** A codec byte, then the bytes. */
export function pack(bytes: Uint8Array): Uint8Array {
  const packed = bytes.length > compressAboveBytes ? zstdCompressSync(bytes) : bytes;
  const result = new Uint8Array(packed.length + 1);
  result[0] = packed === bytes ? 0 : 1;
  result.set(packed, 1);
  return result;
}

export function unpack(bytes: Uint8Array): Uint8Array {
  const rest = bytes.subarray(1);
  switch (bytes[0]) {
    case 0:
      return rest;
    case 1:
      return zstdDecompressSync(rest);
    default:
      throw new RangeError(`unknown codec ${bytes[0]} of a stored record`);
  }
}
