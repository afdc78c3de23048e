import { logBeta } from './log-gamma.ts';

/** Below this the continued fraction has converged in double precision. */
const EPSILON = 1e-15;
const TINY = 1e-300;
/** √max(a, b) steps suffice (Numerical Recipes §6.4); this bound serves a, b up to about 1e8. */
const MAX_STEPS = 20_000;

/**
 * The regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 ≤ x ≤ 1: the distribution function of the beta
 * distribution. Lentz's continued fraction, as in Press et al., Numerical Recipes §6.4.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(x > 0)) return Number.isNaN(x) ? Number.NaN : 0;
  if (x >= 1) return 1;
  const logFront = a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b);
  // The fraction converges fast only below the mean: else the symmetric one.
  if (x <= (a + 1) / (a + b + 2)) return (Math.exp(logFront) * fraction(x, a, b)) / a;
  return 1 - (Math.exp(logFront) * fraction(1 - x, b, a)) / b;
}

function fraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = away(1 - ((a + b) * x) / (a + 1));
  d = 1 / d;
  let h = d;
  for (let m = 1; m <= MAX_STEPS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    h *= d * c;
    if (Math.abs(d * c - 1) < EPSILON) break;
  }
  return h;
}

function away(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/** The x with I_x(a, b) = p, by bisection: 60 halvings, absolute error below 1e-15. */
export function incompleteBetaInverse(p: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a, b) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
