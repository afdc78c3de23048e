import type { Weights } from '../data/tree-columns.ts';

/** Exact sums over nodes none of which lies below another. */
export interface Sum {
  readonly total: bigint;
  readonly self: bigint;
  readonly samples: number;
}

export function sumOf(weights: Weights, nodes: Iterable<number>): Sum {
  const sums = new ExactSums(2);
  let samples = 0;
  const totals = halvesOf(weights.total);
  const selves = halvesOf(weights.self);
  for (const node of nodes) {
    sums.add(0, totals, node);
    sums.add(1, selves, node);
    samples += weights.samples[node] ?? 0;
  }
  return { total: sums.value(0), self: sums.value(1), samples };
}

/** Both halves of 64-bit values: the lower ones unsigned. */
export interface Halves {
  readonly low: Uint32Array;
  readonly high: Int32Array;
}

export function halvesOf({ buffer, byteOffset, length }: BigInt64Array): Halves {
  return { low: new Uint32Array(buffer, byteOffset, length * 2), high: new Int32Array(buffer, byteOffset, length * 2) };
}

/** Doubles are exact up to 2^53; a lower sum that has reached half of that is carried into the upper one. */
const full = 2 ** 52;
const fullHigh = full / 2 ** 32;

/** Exact sums of 64-bit values by row, added up as halves: a BigInt for each addition costs ten times as much. */
export class ExactSums {
  readonly #low: Float64Array;
  readonly #high: Float64Array;

  constructor(length: number) {
    this.#low = new Float64Array(length);
    this.#high = new Float64Array(length);
  }

  add(at: number, { low, high }: Halves, row: number): void {
    let sum = (this.#low[at] ?? 0) + (low[row * 2] ?? 0);
    let upper = (this.#high[at] ?? 0) + (high[row * 2 + 1] ?? 0);
    if (sum >= full) {
      sum -= full;
      upper += fullHigh;
    }
    this.#low[at] = sum;
    this.#high[at] = upper;
  }

  value(at: number): bigint {
    const low = this.#low[at] ?? 0;
    const high = this.#high[at] ?? 0;
    const sum = high * 2 ** 32 + low;
    return Number.isSafeInteger(sum) ? BigInt(sum) : (BigInt(high) << 32n) + BigInt(low);
  }
}

/** `part ÷ whole` as a number, 0 when there is no whole. Scaled in BigInt first, so that 2^60 of 2^62 is exactly 0.25. */
export function shareOf(part: bigint, whole: bigint): number {
  if (whole === 0n) return 0;
  return Number((part * 1_000_000_000_000n) / whole) / 1_000_000_000_000;
}
