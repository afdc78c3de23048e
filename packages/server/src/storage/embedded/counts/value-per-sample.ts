/**
 * The number by which a sample's count gives its value, over many samples: the period of a sampling profiler. `NaN` while no
 * sample has said it, `Infinity` where they differ.
 */
export function joinedFactor(a: number, b: number): number {
  if (Number.isNaN(a)) return b;
  return Number.isNaN(b) || a === b ? a : Infinity;
}

/** With one more sample; a value beyond 2^53 is not looked at closely enough. */
export function factorWith(factor: number, count: number, value: number): number {
  if (value === factor * count && Number.isSafeInteger(value)) return factor;
  if (count === 0 && value === 0) return factor;
  const own = value / count;
  return Number.isSafeInteger(own) && Number.isSafeInteger(value) ? joinedFactor(factor, own) : Infinity;
}
