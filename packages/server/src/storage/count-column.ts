/** Whole numbers, in 32 bits where all of them fit: rows of a fleet are some million, and seldom does one not. */
export type CountColumn = Uint32Array | Float64Array;

const limit = 2 ** 32;

/** The same numbers in the column that they take. */
export function countColumn(counts: Float64Array): CountColumn {
  return counts.every((count) => count >= 0 && count < limit) ? Uint32Array.from(counts) : counts;
}
