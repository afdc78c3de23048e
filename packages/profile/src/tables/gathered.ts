import { halvesOf } from './growable.ts';

/** Rows of a column in another order; -1: 0. */
export function gathered(column: Float64Array, from: ArrayLike<number>): Float64Array {
  const result = new Float64Array(from.length);
  for (let row = 0; row < from.length; row++) {
    const at = from[row] ?? -1;
    if (at >= 0) result[row] = column[at] ?? 0;
  }
  return result;
}

/** The same by halves: a BigInt for each row costs ten times as much. */
export function gatheredInts(column: BigInt64Array, from: ArrayLike<number>): BigInt64Array {
  const result = new BigInt64Array(from.length);
  const source = halvesOf(column);
  const halves = halvesOf(result);
  for (let row = 0; row < from.length; row++) {
    const at = from[row] ?? -1;
    if (at < 0) continue;
    halves[row * 2] = source[at * 2] ?? 0;
    halves[row * 2 + 1] = source[at * 2 + 1] ?? 0;
  }
  return result;
}
