/** Normal quantile of a two-sided 95 % interval. */
const z = 1.959963984540054;

/**
 * Wilson's 95 % interval of a share of which `part` of `whole` samples are seen. Both are counts of samples that are taken to
 * be independent. [0, 1] when there are none.
 */
export function shareInterval(part: number, whole: number): readonly [number, number] {
  if (whole <= 0) return [0, 1];
  const share = Math.min(Math.max(part / whole, 0), 1);
  const middle = share + (z * z) / (2 * whole);
  const reach = z * Math.sqrt((share * (1 - share)) / whole + (z * z) / (4 * whole * whole));
  const scale = 1 + (z * z) / whole;
  return [Math.max((middle - reach) / scale, 0), Math.min((middle + reach) / scale, 1)];
}
