import { type CountList, samplesOf } from '../counts/side-counts.ts';
import type { Contrast } from './contrast.ts';

/** Effects of all functions in one list; columns by function id. */
export interface EffectTable {
  readonly list: CountList;
  /** ln(rate after / rate before), the controls' taken off. ±Infinity: new or gone; NaN: not to be compared. */
  readonly theta: Float64Array;
  /** Cluster-robust Var θ with the contrast's degrees of freedom; NaN where θ is not finite. */
  readonly variance: Float64Array;
  /** What Var θ would be if samples were independent: Σ (1 − p)/X over the cells of the contrast. */
  readonly binomial: Float64Array;
  /** Samples of the treated units. */
  readonly before: Float64Array;
  readonly after: Float64Array;
}

/** A change that all functions share, to be taken off each: see `compositionOf`. */
export interface CommonChange {
  readonly theta: number;
  readonly influence: Float64Array;
}

/** Below this many samples on both sides together, ln of a ratio is too skewed for a t reference; the exact test serves. */
export const MIN_SAMPLES = 30;

/** Effects of all functions of the contrast; O(functions × units). */
export function computeEffects(
  contrast: Contrast,
  list: CountList,
  functions: number,
  common: CommonChange | null = null,
): EffectTable {
  const theta = new Float64Array(functions);
  const variance = new Float64Array(functions).fill(Number.NaN);
  const binomial = new Float64Array(functions).fill(Number.NaN);
  const before = new Float64Array(functions);
  const after = new Float64Array(functions);
  const influence = new Float64Array(contrast.rows);
  const [first, second] = contrast.cells;
  for (let f = 0; f < functions; f++) {
    before[f] = samplesOf(first.counts, list, f);
    after[f] = samplesOf(second.counts, list, f);
    const value = contrast.effect(f, list, influence);
    theta[f] = common === null ? value : value - common.theta;
    if (!Number.isFinite(value)) continue;
    if (common !== null)
      for (let h = 0; h < influence.length; h++) influence[h] = (influence[h] ?? 0) - (common.influence[h] ?? 0);
    variance[f] = contrast.variance(influence);
    let independent = 0;
    for (const cell of contrast.cells) {
      const samples = samplesOf(cell.counts, list, f);
      const part = contrast.normalisation === 'share' ? samples / cell.exposureSum : 0;
      independent += (1 - part) / samples;
    }
    binomial[f] = independent;
  }
  return { list, theta, variance, binomial, before, after };
}

/**
 * May this function go through the t test? Enough samples on both sides together, some on each, and not the whole service: a
 * function that is in nearly every sample (main) has a share of 1 on both sides and nothing to test. Blind to which side is which, so that the
 * filter does not bias the false discovery rate (Bourgon, Gentleman & Huber, PNAS 107 (2010)).
 */
export function isTestable(table: EffectTable, id: number): boolean {
  const samples = (table.before[id] ?? 0) + (table.after[id] ?? 0);
  return (
    samples >= MIN_SAMPLES &&
    Number.isFinite(table.theta[id]) &&
    (table.binomial[id] ?? 0) * samples > 1e-3 &&
    Number.isFinite(table.variance[id])
  );
}
