import { Int64Column } from './tables/int64-column.ts';

/** The exact sum of the values `first`, `first + step`, … of a column. BigInts are made only where float64 does not hold the sum. */
export function columnSum(values: BigInt64Array, first: number, step: number): bigint {
  const numbers = new Int64Column(values);
  let sum = 0;
  for (let i = first; i < values.length; i += step) {
    // Exact below 2^53, and so is the sum as long as it stays there.
    const value = numbers.number(i);
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
