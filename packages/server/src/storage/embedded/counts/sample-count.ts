import type { Vector } from '../vector-scratch.ts';

/**
 * How many samples a row of a vector stands for. `countType`: place of samples/count among the `types` sample types, or -1:
 * then the counts are the column behind them, and what has no value in any type is none, as in pprof's merge.
 */
export function sampleCount(vector: Vector, types: number, countType: number, row: number): number {
  if (countType >= 0) return vector.number(countType, row);
  for (let t = 0; t < types; t++) if (vector.number(t, row) !== 0) return vector.number(types, row);
  return 0;
}
