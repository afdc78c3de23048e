import { tQuantileUpper, tUpper } from '../distributions/student-t.ts';

/**
 * p-value of "the effect is larger than `least` in size" for an estimate `theta` of the given variance and degrees of freedom; `least` = 0 is the
 * plain two-sided t test. Source: TREAT, McCarthy & Smyth, Bioinformatics 25 (2009).
 */
export function relevantEffectP(theta: number, least: number, variance: number, df: number): number {
  const sd = Math.sqrt(variance);
  const size = Math.abs(theta);
  return Math.min(1, tUpper((size - least) / sd, df) + tUpper((size + least) / sd, df));
}

/** t quantiles by (upper tail, df), since thousands of functions share a few degrees of freedom. */
export class TQuantiles {
  readonly #known = new Map<string, number>();

  upper(tail: number, df: number): number {
    // Three digits of df move the quantile by less than a thousandth of itself.
    const rounded = Number(df.toPrecision(3));
    const key = `${tail} ${rounded}`;
    let value = this.#known.get(key);
    if (value === undefined) {
      value = tQuantileUpper(tail, rounded);
      this.#known.set(key, value);
    }
    return value;
  }
}

/**
 * Size of effect (ln) that would have been called a finding with probability 0.8, when p ≤ `threshold` is needed:
 * least + (t_{threshold/2} + t_{0.2})·sd. Source: Bloom, Evaluation Review 19 (1995), with the minimum relevant effect and the multiplicity
 * of the tests priced in.
 */
export function detectableEffect(
  variance: number,
  df: number,
  least: number,
  threshold: number,
  quantiles: TQuantiles,
): number {
  // The largest p that was a finding may be near 1 only when everything is one; 0.2 keeps the quantile in its upper half.
  const tail = Math.min(threshold / 2, 0.2);
  return least + (quantiles.upper(tail, df) + quantiles.upper(0.2, df)) * Math.sqrt(variance);
}

/** A comparison that could not have seen +50 %, or twice what matters where that is more, says "not enough data", not "unchanged". */
export function blindness(minEffect: number): number {
  return Math.max(0.5, 2 * minEffect);
}
