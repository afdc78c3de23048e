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
 * The p-value that one more test would need to be a finding at `limit`: limit·(findings + 1)/m, at most `limit`. It prices the multiplicity into the
 * smallest detectable effect.
 */
export function rejectionThreshold(q: Float64Array, limit: number): number {
  const tested = q.filter((value) => !Number.isNaN(value));
  const findings = tested.filter((value) => value <= limit).length;
  return Math.min(limit, (limit * (findings + 1)) / Math.max(tested.length, 1));
}
