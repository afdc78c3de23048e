import { addInt64 } from '../build/overflow.ts';
import { Int64Column } from '../tables/int64-column.ts';

/**
 * A column of exact 64-bit sums. When the absolute values of all that will be added stay below 2^53 together, the sums are
 * kept as doubles, which are exact there and ten times as fast as BigInt; else as BigInt, and a sum that does not fit a
 * signed 64-bit integer throws a `ProfileFailure` with the code `overflow`.
 */
export class ExactSums {
  readonly #small: Float64Array | undefined;
  readonly #big: bigint[];

  constructor(length: number, isSmall: boolean) {
    this.#small = isSmall ? new Float64Array(length) : undefined;
    this.#big = isSmall ? [] : Array.from({ length }, () => 0n);
  }

  /** Adds row `from` of `values`. */
  add(row: number, values: Int64Column, from: number): void {
    if (this.#small === undefined) this.#addBig(row, values.bigints[from] ?? 0n);
    else this.#small[row] = (this.#small[row] ?? 0) + values.number(from);
  }

  /** Adds row `from` of `other`, which must be as small as this one. */
  addFrom(row: number, other: ExactSums, from: number): void {
    if (this.#small === undefined || other.#small === undefined) this.#addBig(row, other.#big[from] ?? 0n);
    else this.#small[row] = (this.#small[row] ?? 0) + (other.#small[from] ?? 0);
  }

  /** All rows, in the order given where there is one. */
  toColumn(order?: Uint32Array): BigInt64Array<ArrayBuffer> {
    const small = this.#small;
    const length = order?.length ?? small?.length ?? this.#big.length;
    const column = new BigInt64Array(length);
    // Written as halves: a BigInt for each row costs ten times as much.
    const halves = new Uint32Array(column.buffer);
    for (let i = 0; i < length; i++) {
      const row = order === undefined ? i : (order[i] ?? 0);
      if (small === undefined) column[i] = this.#big[row] ?? 0n;
      else {
        const value = small[row] ?? 0;
        halves[i * 2] = value;
        halves[i * 2 + 1] = Math.floor(value / 2 ** 32);
      }
    }
    return column;
  }

  #addBig(row: number, value: bigint): void {
    this.#big[row] = addInt64(this.#big[row] ?? 0n, value);
  }
}

/** Whether sums of these values are certain to be exact as doubles. */
export function sumsAreSmall(values: BigInt64Array, first = 0, step = 1): boolean {
  const numbers = new Int64Column(values);
  let sum = 0;
  for (let i = first; i < values.length; i += step) {
    sum += Math.abs(numbers.number(i));
    // Rounding cannot bring a sum from above 2^53 to below 2^52.
    if (sum >= 2 ** 52) return false;
  }
  return true;
}
