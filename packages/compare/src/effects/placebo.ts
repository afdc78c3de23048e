import { type EffectTable, isTestable } from './effect-table.ts';
import { ascending, fMedian, type Moderated, priorDegrees, quantile } from './moderate.ts';

/** Effects of one comparison of the past in which nothing was deployed; columns by function id. See `pastEffects`. */
export interface PastEffects {
  readonly theta: Float64Array;
  /** Moderated Var θ. */
  readonly variance: Float64Array;
}

/** Fewer past comparisons say too little about how far the fleet wanders by itself. */
export const MIN_PAST = 5;
const MIN_FUNCTIONS = 10;

export interface Drift {
  /** What to take off each θ: its mean in the past when that was taken at the same time of day, else 0. */
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly df: Float64Array;
  /** sd of ln share by which a typical function wanders between two windows with nothing deployed. */
  readonly typicalSd: number;
}

/**
 * Adds to each variance what the whole fleet does by itself between two windows (time of day, traffic mix), which no number of hosts
 * can average away, learnt from K past comparisons without a deployment (A/A placebo).
 *
 * τ² = mean over functions of (mean_k θ_k² − mean_k V_k), at least 0, is the drift of a typical function; the ratio r_f = mean_k θ_fk²/(V_fk + τ²)
 * says how far function f departs from it, and is moderated like the variances are (towards 1, by as much as functions agree).
 * V_total = max(V, r̃·(V + τ²)). The published form adds a shrunken τ_f² to V and keeps V's degrees of freedom; carrying r̃'s own
 * (Satterthwaite, Biometrics 2 (1946)) is what keeps K = 14 windows from claiming to be certain.
 *
 * `aligned`: the past windows were taken at the same time of day as this one. Then their mean is the daily cycle's and is taken off,
 * at the price of (1 + 1/K) in variance and one degree of freedom.
 */
export function addDrift(
  table: EffectTable,
  moderated: Moderated,
  past: readonly PastEffects[],
  aligned: boolean,
): Drift {
  const functions = table.theta.length;
  const mean = new Float64Array(functions);
  const pastVariance = new Float64Array(functions);
  const square = new Float64Array(functions);
  const windows = new Float64Array(functions);
  for (let f = 0; f < functions; f++) {
    const usable = past.filter((one) => Number.isFinite(one.theta[f]) && Number.isFinite(one.variance[f]));
    const k = usable.length;
    windows[f] = k;
    if (k < MIN_PAST) continue;
    const sum = usable.reduce((total, one) => total + (one.theta[f] ?? 0), 0);
    mean[f] = aligned ? sum / k : 0;
    const center = mean[f] ?? 0;
    const squares = usable.reduce((total, one) => total + ((one.theta[f] ?? 0) - center) ** 2, 0);
    square[f] = squares / (aligned ? k - 1 : k);
    pastVariance[f] = usable.reduce((total, one) => total + (one.variance[f] ?? 0), 0) / k;
  }
  const ids = [...windows.keys()].filter((f) => (windows[f] ?? 0) >= MIN_PAST && isTestable(table, f));
  const tau2 = typicalDrift(ids, square, pastVariance);
  const ratios = new Float64Array(functions).fill(1);
  for (const f of ids) ratios[f] = (square[f] ?? 0) / ((pastVariance[f] ?? 0) + tau2);
  const pastDf = past.length - (aligned ? 1 : 0);
  const [priorDf, scale] = priorOf(
    ids.map((f) => ratios[f] ?? 1),
    pastDf,
  );
  const variance = new Float64Array(functions).fill(Number.NaN);
  const df = new Float64Array(functions);
  for (let f = 0; f < functions; f++) {
    const own = moderated.variance[f] ?? Number.NaN;
    const k = (windows[f] ?? 0) >= MIN_PAST ? (windows[f] ?? 0) - (aligned ? 1 : 0) : 0;
    const ratio =
      priorDf === Number.POSITIVE_INFINITY ? scale : (priorDf * scale + k * (ratios[f] ?? 1)) / (priorDf + k);
    const wide = ratio * (own + tau2) * (aligned && k > 0 ? 1 + 1 / (k + 1) : 1);
    variance[f] = Math.max(own, wide);
    // ratio and own are estimated apart; their relative variances add.
    const ownPart = own / (own + tau2);
    df[f] = 1 / (ownPart ** 2 / (moderated.df[f] ?? 1) + 1 / Math.max(priorDf + k, 1));
  }
  return { mean, variance, df, typicalSd: Math.sqrt(tau2) };
}

/** Mean of mean θ² − mean V, each function weighing by its precision, the five hundredths with the largest excess left out. */
function typicalDrift(ids: readonly number[], square: Float64Array, variance: Float64Array): number {
  const excess = ids.map((f) => ({
    weight: 1 / (variance[f] ?? 1) ** 2,
    value: (square[f] ?? 0) - (variance[f] ?? 0),
  }));
  excess.sort((a, b) => a.value - b.value);
  const kept = excess.slice(0, Math.ceil(excess.length * 0.95));
  const weight = kept.reduce((sum, one) => sum + one.weight, 0);
  if (!(weight > 0)) return 0;
  return Math.max(0, kept.reduce((sum, one) => sum + one.weight * one.value, 0) / weight);
}

function priorOf(ratios: readonly number[], df: number): [priorDf: number, scale: number] {
  if (ratios.length < MIN_FUNCTIONS || df < 2) return [df, 1];
  const logs = ratios.map((ratio) => Math.log(Math.max(ratio, 1e-6))).sort(ascending);
  const priorDf = priorDegrees(quantile(logs, 0.75) - quantile(logs, 0.25), df);
  return [priorDf, Math.exp(quantile(logs, 0.5)) / fMedian(df, priorDf)];
}
