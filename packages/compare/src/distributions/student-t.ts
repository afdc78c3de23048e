import { incompleteBeta } from './incomplete-beta.ts';
import { normalQuantile, normalUpper } from './normal.ts';

/** From here on the t distribution is the normal one to seven digits of its tail at any p that matters. */
const NORMAL_DF = 1e7;

/** P(T > t) for Student's t with `df` > 0 degrees of freedom (may be fractional or infinite). */
export function tUpper(t: number, df: number): number {
  if (df >= NORMAL_DF) return normalUpper(t);
  const x = df / (df + t * t);
  const tail = 0.5 * incompleteBeta(x, df / 2, 0.5);
  return t >= 0 ? tail : 1 - tail;
}

/** The t with P(T > t) = `upper`, for 0 < upper ≤ 0.5: by bisection of `tUpper` on a bracket that is doubled first. */
export function tQuantileUpper(upper: number, df: number): number {
  if (!(upper > 0 && df > 0)) return Number.POSITIVE_INFINITY;
  if (df >= NORMAL_DF) return -normalQuantile(upper);
  let high = 2;
  while (tUpper(high, df) > upper && high < 1e300) high *= 2;
  let low = high === 2 ? 0 : high / 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (tUpper(middle, df) > upper) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
