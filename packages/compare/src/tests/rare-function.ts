import { conditionalTest } from '../distributions/beta-binomial.ts';
import { type CountList, samplesOf } from '../counts/side-counts.ts';
import type { Contrast } from '../effects/contrast.ts';
import { MIN_SAMPLES } from '../effects/effect-table.ts';

export interface RareTest {
  readonly p: number;
  /** Upper 95 % bound of the rate on the side without samples, 3φ/exposure (the rule of three); null when both sides have some. */
  readonly bound: number | null;
}

/**
 * Exact test of a function that is rare, new or gone: what the t test on ln of a ratio cannot do. Given the sum of both counts, the
 * count after is binomial when nothing changed, widened to the dispersion φ of functions of such counts (beta-binomial). φ is
 * at least what each side shows between its own units: a thousand samples on one host of twenty are one observation, not a thousand. `wandering` is
 * what the fleet wanders by itself (`wanderingOf`) and widens it, too. Units on both sides count only where both were watched.
 *
 * `null`: not for this test, because there is enough for the other one, or nothing at all, or the controls have what it would call new.
 */
export function testRare(
  contrast: Contrast,
  list: CountList,
  id: number,
  dispersionAt: (samples: number) => number,
  wandering = 0,
): RareTest | null {
  const [before, after, ...controls] = contrast.cells;
  const xb = samplesOf(before.counts, list, id);
  const xa = samplesOf(after.counts, list, id);
  if (xa + xb === 0 || (xa + xb >= MIN_SAMPLES && xa > 0 && xb > 0)) return null;
  if (controls.some((cell) => samplesOf(cell.counts, list, id) > 0)) return null;
  let dispersion = dispersionAt(xa + xb);
  if (xb > 0) dispersion = Math.max(dispersion, ownDispersion(contrast, 0, list, id));
  if (xa > 0) dispersion = Math.max(dispersion, ownDispersion(contrast, 1, list, id));
  const chance = after.exposureSum / (after.exposureSum + before.exposureSum);
  // A variance of the log odds by τ² is one of the count by (n·c·(1 − c))²·τ².
  dispersion += wandering * (xa + xb) * chance * (1 - chance);
  const p = conditionalTest(xb, xa, chance, dispersion);
  const empty = xb === 0 ? before : xa === 0 ? after : null;
  return { p, bound: empty === null ? null : (3 * dispersion) / empty.exposureSum };
}

/** Cluster variance of a side's ln rate over its binomial one. */
function ownDispersion(contrast: Contrast, side: 0 | 1, list: CountList, id: number): number {
  const { counts, fraction, leverage } = contrast.cells[side];
  const samples = samplesOf(counts, list, id);
  const cells = list === 'self' ? counts.cellSelf : counts.cellInclusive;
  const d = fraction.map((part, unit) => -part * (leverage[unit] ?? 0));
  const end = counts.functionStart[id + 1] ?? 0;
  for (let i = counts.functionStart[id] ?? 0; i < end; i++) {
    const unit = counts.cellUnit[i] ?? 0;
    d[unit] = (d[unit] ?? 0) + ((cells[i] ?? 0) / samples) * (leverage[unit] ?? 0);
  }
  return samples * d.reduce((sum, value) => sum + value * value, 0);
}
