import type { CountList, SideCounts, UnitKind } from '../counts/side-counts.ts';
import { type Composition, compositionOf } from './composition.ts';
import { Contrast, type Normalisation } from './contrast.ts';
import { computeEffects, type EffectTable } from './effect-table.ts';
import { wanderingOf } from './empirical-null.ts';
import { type Moderated, moderate } from './moderate.ts';
import { addDrift, MIN_PAST, type PastEffects } from './placebo.ts';

export interface Pair {
  readonly before: SideCounts;
  readonly after: SideCounts;
}

/** Effects of a comparison of the past, in all that a later comparison asks about. Small enough to be kept: 16 bytes per function and list. */
export interface PastComparison {
  readonly inclusive: PastEffects;
  readonly self: PastEffects;
  /** ln of the change of all samples per instance-second; NaN when seconds were not known. */
  readonly cores: { readonly theta: number; readonly variance: number };
}

/** Effects with everything that is known about their noise; columns by function id. */
export interface Analysis {
  readonly contrast: Contrast;
  readonly table: EffectTable;
  /** θ as it is tested: the common change and the mean drift taken off. */
  readonly theta: Float64Array;
  readonly variance: Float64Array;
  readonly df: Float64Array;
  readonly moderated: Moderated;
  /** sd by which a typical function drifts by itself; null without a past. */
  readonly driftSd: number | null;
  /** sd by which a typical function wandered in this comparison beyond what its units show; 0 where a past was known. */
  readonly wanderingSd: number;
}

export interface Analyses {
  readonly inclusive: Analysis;
  readonly self: Analysis;
  readonly composition: Composition;
}

/** Both lists of a comparison, with moderation, composition and drift: steps 1–3 and 7 of `docs/statistics.md`. */
export function analyse(
  pair: Pair,
  controls: Pair | null,
  past: readonly PastComparison[],
  aligned: boolean,
  kind: UnitKind,
  normalisation: Normalisation,
): Analyses {
  const contrast = new Contrast(pair, controls, kind, normalisation);
  const functions = pair.before.functionStart.length - 1;
  const selfTable = computeEffects(contrast, 'self', functions);
  const composition = compositionOf(contrast, selfTable, moderate(selfTable, contrast.df));
  const common = composition.matters && normalisation === 'share' ? composition : null;
  const one = (list: CountList): Analysis => {
    const table = list === 'self' && common === null ? selfTable : computeEffects(contrast, list, functions, common);
    const moderated = moderate(table, contrast.df);
    // Controls lived through the same time: what drifts is in them already.
    if (controls !== null || past.length < MIN_PAST) {
      // Of one unit on each side not even the noise is known that this would be held against.
      const wandering = contrast.df > 0 ? wanderingOf(table, moderated, normalisation !== 'share') : 0;
      return {
        contrast,
        table,
        theta: table.theta,
        variance: moderated.variance.map((own) => own + wandering),
        df: contrast.df > 0 ? moderated.df : moderated.df.fill(contrast.intervalDf),
        moderated,
        driftSd: null,
        wanderingSd: Math.sqrt(wandering),
      };
    }
    const drift = addDrift(
      table,
      moderated,
      past.map((comparison) => comparison[list]),
      aligned,
    );
    const theta = table.theta.map((value, f) => value - (drift.mean[f] ?? 0));
    return {
      contrast,
      table,
      theta,
      variance: drift.variance,
      df: drift.df,
      moderated,
      driftSd: drift.typicalSd,
      wanderingSd: 0,
    };
  };
  return { inclusive: one('inclusive'), self: one('self'), composition };
}

/**
 * The effects of two windows of the past between which nothing was deployed, to be kept and handed to later comparisons as
 * `past`. Windows should be as long and as far apart as those compared.
 */
export function pastEffects(pair: Pair, kind: UnitKind, normalisation: Normalisation): PastComparison {
  const { inclusive, self } = analyse(pair, null, [], false, kind, normalisation);
  let cores = { theta: Number.NaN, variance: Number.NaN };
  if (pair.before.unitSeconds.some((value) => value > 0) && pair.after.unitSeconds.some((value) => value > 0)) {
    const total = new Contrast(pair, null, kind, 'cores');
    const influence = new Float64Array(total.rows);
    const theta = total.effectOf([pair.before.unitSamples, pair.after.unitSamples], influence);
    cores = { theta, variance: total.variance(influence) };
  }
  return {
    inclusive: { theta: inclusive.table.theta, variance: inclusive.moderated.variance },
    self: { theta: self.table.theta, variance: self.moderated.variance },
    cores,
  };
}
