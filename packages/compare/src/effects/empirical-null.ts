import { tQuantileUpper } from '../distributions/student-t.ts';
import { type EffectTable, isTestable } from './effect-table.ts';
import type { Moderated } from './moderate.ts';

/** With fewer functions the middle of them is too uncertain to be a null distribution. */
const MIN_FUNCTIONS = 20;
/** ln units; a fleet whose typical function wanders by more says nothing that anyone should act on. */
const MOST_SD = 1;

/**
 * Variance by which a typical function wandered between the two windows beyond what the differences between units show: what happened to all units at
 * once (warming up, another mix of requests, a busy neighbour), of which no number of units knows. It is learnt from the comparison itself: most functions
 * did not change, so that half of all |θ|/√(V + τ²) should lie below the upper quartile of Student's t. τ² is what makes that so, 0 where they lie closer.
 * Source: the empirical null of Efron, JASA 99 (2004), with the variance added and not multiplied, so that functions of few samples, whose noise is known, do not hide how
 * much the large ones wander: each function weighs by its precision there, 1/√V. `isAroundAny`: what most functions have in common is no wandering, since all of the service may have changed;
 * of shares it is, because they have a fixed sum and what dilutes them is off them already.
 */
export function wanderingOf(table: EffectTable, moderated: Moderated, isAroundAny: boolean): number {
  const quartiles = new Map<number, number>();
  const quartileOf = (df: number): number => {
    const rounded = Number(df.toPrecision(3));
    const known = quartiles.get(rounded) ?? tQuantileUpper(0.25, rounded);
    quartiles.set(rounded, known);
    return known;
  };
  const ids = [...table.theta.keys()].filter(
    (f) => isTestable(table, f) && (moderated.variance[f] ?? 0) > 0 && (moderated.df[f] ?? 0) > 0,
  );
  if (ids.length < MIN_FUNCTIONS) return 0;
  const variances = Float64Array.from(ids, (f) => moderated.variance[f] ?? 1);
  const weights = variances.map((variance) => 1 / Math.sqrt(variance));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const center = isAroundAny
    ? weightedMedian(
        Float64Array.from(ids, (f) => table.theta[f] ?? 0),
        weights,
        all,
      )
    : 0;
  const squares = Float64Array.from(
    ids,
    (f) => (((table.theta[f] ?? 0) - center) / quartileOf(moderated.df[f] ?? 1)) ** 2,
  );
  const isTooWide = (wandering: number): boolean => {
    let beyond = 0;
    for (let i = 0; i < squares.length; i++)
      if ((squares[i] ?? 0) > (variances[i] ?? 0) + wandering) beyond += weights[i] ?? 0;
    return beyond > all / 2;
  };
  if (!isTooWide(0)) return 0;
  let [low, high] = [0, MOST_SD ** 2];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (isTooWide(middle)) low = middle;
    else high = middle;
  }
  return high;
}

function weightedMedian(values: Float64Array, weights: Float64Array, all: number): number {
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  let passed = 0;
  for (const i of order) {
    passed += weights[i] ?? 0;
    if (passed >= all / 2) return values[i] ?? 0;
  }
  return 0;
}
