import { upperGamma } from './incomplete-gamma.ts';

/** P(Z > z) for the standard normal distribution, through the incomplete gamma function: full relative precision in the upper tail. */
export function normalUpper(z: number): number {
  const tail = 0.5 * upperGamma(0.5, (z * z) / 2);
  return z >= 0 ? tail : 1 - tail;
}

/** The z with P(Z ≤ z) = p, 0 < p < 1: Newton's steps on `normalUpper`, from the estimate of Abramowitz & Stegun 26.2.23. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN;
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let i = 0; i < 4; i++) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    z += (normalUpper(z) - p) / density;
  }
  return -z;
}
