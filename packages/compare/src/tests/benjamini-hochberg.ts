/**
 * q-values: the smallest false discovery rate at which each would be a finding. NaN p-values take no part and stay NaN.
 * Source: Benjamini & Hochberg, JRSS B 57 (1995), step-up, as adjusted p-values.
 */
export function benjaminiHochberg(p: Float64Array): Float64Array {
  const order = [...p.keys()].filter((i) => !Number.isNaN(p[i])).sort((a, b) => (p[b] ?? 0) - (p[a] ?? 0));
  const q = new Float64Array(p.length).fill(Number.NaN);
  const m = order.length;
  let least = 1;
  for (const [place, i] of order.entries()) {
    least = Math.min(least, ((p[i] ?? 1) * m) / (m - place));
    q[i] = least;
  }
  return q;
}

/**
 * The p-value that a test must reach to be a finding at `limit`: the largest one that did, else what the first would need (limit / m).
 * It prices the multiplicity into the smallest detectable effect.
 */
export function rejectionThreshold(p: Float64Array, q: Float64Array, limit: number): number {
  let largest = 0;
  let m = 0;
  for (let i = 0; i < p.length; i++) {
    if (Number.isNaN(p[i])) continue;
    m++;
    if ((q[i] ?? 1) <= limit) largest = Math.max(largest, p[i] ?? 0);
  }
  return Math.max(largest, limit / Math.max(m, 1));
}
