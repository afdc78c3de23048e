import type { Contrast } from './contrast.ts';
import { type CommonChange, type EffectTable, isTestable } from './effect-table.ts';
import type { Moderated } from './moderate.ts';

/** What all functions have in common when shares are compared. */
export interface Composition extends CommonChange {
  readonly variance: number;
  /** Functions that took part. */
  readonly functions: number;
  /**
   * Is the common change real and large enough to matter, so that it is taken off each function? When one function grows, the
   * shares of all others fall though their cost is the same.
   */
  readonly matters: boolean;
}

/** With fewer functions "what most of them do" is not known. */
export const MIN_FUNCTIONS = 20;
/** Weight cut off at each end: a quarter of the service's precision may change without moving the middle. */
const TRIM = 0.25;
/** Below 0.2 % a common change is left in: it is a tenth of the smallest effect that is tested by default. */
const NEGLIGIBLE = 0.002;

/**
 * The compositional guard: shares sum to 1, so a function that grows pushes all others down. The change that most functions share is the
 * weighted mean of ln(share after / share before) over self counts, a quarter of the weight trimmed at each end.
 * Source: TMM normalisation, Robinson & Oshlack, Genome Biology 11:R25 (2010). Weights are the inverse of the moderated variance, not of the
 * binomial one, so that a dominating function does not outvote the others; the trim is by weight, for the same reason.
 */
export function compositionOf(contrast: Contrast, self: EffectTable, moderated: Moderated): Composition {
  const ids = [...self.theta.keys()].filter((f) => isTestable(self, f));
  ids.sort((a, b) => (self.theta[a] ?? 0) - (self.theta[b] ?? 0) || a - b);
  const weightOf = (f: number): number => 1 / Math.max(moderated.variance[f] ?? 1, 1e-12);
  const all = ids.reduce((sum, f) => sum + weightOf(f), 0);
  const influence = new Float64Array(contrast.rows);
  const scratch = new Float64Array(contrast.rows);
  let theta = 0;
  let kept = 0;
  let passed = 0;
  for (const f of ids) {
    const from = Math.max(passed, TRIM * all);
    passed += weightOf(f);
    // A function on the edge counts with the part of its weight that lies inside.
    const weight = Math.min(passed, (1 - TRIM) * all) - from;
    if (!(weight > 0)) continue;
    const value = contrast.effect(f, 'self', scratch);
    theta += weight * value;
    kept += weight;
    for (let h = 0; h < scratch.length; h++) influence[h] = (influence[h] ?? 0) + weight * (scratch[h] ?? 0);
  }
  if (ids.length < MIN_FUNCTIONS || !(kept > 0))
    return { theta: 0, influence: influence.fill(0), variance: Number.NaN, functions: ids.length, matters: false };
  for (let h = 0; h < influence.length; h++) influence[h] = (influence[h] ?? 0) / kept;
  theta /= kept;
  // With one unit on each side only the functions' counting noise is known, which the weights are the inverse of.
  const variance = contrast.df > 0 ? contrast.variance(influence) : 1 / kept;
  return {
    theta,
    influence,
    variance,
    functions: ids.length,
    matters: Math.abs(theta) > NEGLIGIBLE && Math.abs(theta) > 3 * Math.sqrt(variance),
  };
}
