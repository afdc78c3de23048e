/**
 * Samples by function of all profiles of a series within a step, as a block keeps them:
 *
 *     header, its number in the group       varint
 *     profiles                              varint
 *     sum of their durations, ns            zigzag
 *     samples                               varint
 *     each sample type: its sum             zigzag
 *       value of a sample ÷ its count       0: differs; 1: not known; 2: zigzag follows
 *     functions                             varint
 *     ranks                                 varint difference to the one before, less one, each; the first to 0
 *     inclusive less self                   varint each
 *     self                                  varint each
 *
 * A function's rank is its place, from 1, in the group's list of functions, those in most stacks first: differences are small.
 */
import type { ByteReader, ByteWriter } from '../bytes.ts';
import type { Header } from '../header.ts';
import type { FunctionColumns } from './function-sums.ts';

/** Of profiles of one shape. */
export interface CountsFacts {
  profiles: number;
  durationNanos: bigint;
  samples: number;
  /** One per sample type. */
  values: readonly bigint[];
  /** As `joinedFactor` has it, one per sample type. */
  factors: readonly number[];
}

/** False, and nothing written, where a number is one that the format does not have. Ids are ranks. */
export function writeCountsRow(
  facts: CountsFacts & { readonly headerNumber: number },
  { length, ids, self, inclusive }: FunctionColumns,
  out: ByteWriter,
): boolean {
  if (!isCount(facts.samples) || !isInt64(facts.durationNanos) || !facts.values.every(isInt64)) return false;
  for (let i = 0; i < length; i++) {
    if (!isCount(self[i] ?? 0) || !isCount((inclusive[i] ?? 0) - (self[i] ?? 0))) return false;
  }
  out.varint(facts.headerNumber);
  out.varint(facts.profiles);
  out.bigint(facts.durationNanos);
  out.varint(facts.samples);
  for (const [t, value] of facts.values.entries()) {
    out.bigint(value);
    const factor = facts.factors[t] ?? Number.NaN;
    out.varint(Number.isFinite(factor) ? 2 : Number.isNaN(factor) ? 1 : 0);
    if (Number.isFinite(factor)) out.bigint(BigInt(factor));
  }
  out.varint(length);
  let previous = 0;
  for (let i = 0; i < length; i++) {
    const id = ids[i] ?? 0;
    out.varint(id - previous - 1);
    previous = id;
  }
  for (let i = 0; i < length; i++) out.varint((inclusive[i] ?? 0) - (self[i] ?? 0));
  for (let i = 0; i < length; i++) out.varint(self[i] ?? 0);
  return true;
}

/** A row as it is read: filled anew by each reading. */
export class CountsRowReader implements CountsFacts, FunctionColumns {
  profiles = 0;
  durationNanos = 0n;
  samples = 0;
  values: readonly bigint[] = [];
  factors: readonly number[] = [];
  /** That of one of the profiles. */
  header: Header | null = null;
  length = 0;
  ids = new Uint32Array(1024);
  self = new Float64Array(1024);
  inclusive = new Float64Array(1024);

  /** `headers` of the group. */
  read(input: ByteReader, headers: readonly Header[]): void {
    const number = input.varint();
    const header = headers[number];
    if (header === undefined) throw new RangeError(`there is no header ${number}`);
    this.header = header;
    this.profiles = input.varint();
    this.durationNanos = input.bigint();
    this.samples = input.varint();
    const values: bigint[] = [];
    const factors: number[] = [];
    for (let rest = header.sampleTypes.length; rest > 0; rest--) {
      values.push(input.bigint());
      const kind = input.varint();
      factors.push(kind === 2 ? Number(input.bigint()) : kind === 1 ? Number.NaN : Infinity);
    }
    this.values = values;
    this.factors = factors;
    const length = input.varint();
    input.expectAtLeast(length);
    if (length > this.ids.length) {
      this.ids = new Uint32Array(length * 2);
      this.self = new Float64Array(length * 2);
      this.inclusive = new Float64Array(length * 2);
    }
    this.length = length;
    const { ids, self, inclusive } = this;
    let rank = 0;
    for (let i = 0; i < length; i++) {
      rank += input.varint() + 1;
      ids[i] = rank;
    }
    for (let i = 0; i < length; i++) inclusive[i] = input.varint();
    for (let i = 0; i < length; i++) {
      const own = input.varint();
      self[i] = own;
      inclusive[i] = (inclusive[i] ?? 0) + own;
    }
  }
}

function isCount(count: number): boolean {
  return count >= 0 && Number.isSafeInteger(count);
}

function isInt64(value: bigint): boolean {
  return value === BigInt.asIntN(64, value);
}
