import { incompleteBeta, incompleteBetaInverse } from './incomplete-beta.ts';
import { upperGamma } from './incomplete-gamma.ts';

/** P(F > x) with `df1` and `df2` degrees of freedom; `df2` may be infinite. */
export function fUpper(x: number, df1: number, df2: number): number {
  if (!(x > 0)) return 1;
  if (df2 === Number.POSITIVE_INFINITY) return upperGamma(df1 / 2, (df1 * x) / 2);
  return incompleteBeta(df2 / (df2 + df1 * x), df2 / 2, df1 / 2);
}

/** The x with P(F ≤ x) = p. */
export function fQuantile(p: number, df1: number, df2: number): number {
  const b = incompleteBetaInverse(p, df1 / 2, df2 / 2);
  return (df2 * b) / (df1 * (1 - b));
}
