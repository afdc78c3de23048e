import { halvesOf } from './tables/growable.ts';

/** The exact sum of the values `first`, `first + step`, … of a column. BigInts are made only where float64 does not hold the sum. */
export function columnSum(values: BigInt64Array, first: number, step: number): bigint {
  const halves = halvesOf(values);
  let sum = 0;
  for (let i = first; i < values.length; i += step) {
    const high = (halves[i * 2 + 1] ?? 0) | 0;
    // Each part is exact below 2^53, and so is the sum as long as it stays there.
    const value = high * 4_294_967_296 + (halves[i * 2] ?? 0);
    sum += value;
    if (!Number.isSafeInteger(value) || !Number.isSafeInteger(sum)) return exactSum(values, first, step);
  }
  return BigInt(sum);
}

function exactSum(values: BigInt64Array, first: number, step: number): bigint {
  let sum = 0n;
  for (let i = first; i < values.length; i += step) sum += values[i] ?? 0n;
  return sum;
}
