import { fQuantile, fUpper } from '../distributions/f-distribution.ts';
import { isTestable, type EffectTable } from './effect-table.ts';
import { fitTrend } from './trend.ts';

/** Variances after moderation; columns by function id. */
export interface Moderated {
  readonly variance: Float64Array;
  /** Degrees of freedom of each variance: the contrast's plus the prior's, as far as `heaviestTail` lets them. */
  readonly df: Float64Array;
  /** One more variance, of so many samples, drawn to the same prior: for sums over several functions. */
  readonly draw: (
    variance: number,
    binomial: number,
    samples: number,
  ) => { readonly variance: number; readonly df: number };
  /** Design effect that functions of so many samples have: for rare functions, which cannot estimate their own. */
  readonly dispersionAt: (samples: number) => number;
  /** Degrees of freedom that the other functions lend to each; 0 when there are too few of them. */
  readonly priorDf: number;
}

/** With fewer functions their spread says nothing about a prior. */
const MIN_FUNCTIONS = 10;
/** A variance that is so unlikely under the prior is not drawn from it: the function keeps its own. */
const OUTLIER_P = 1e-3;

/**
 * The most degrees of freedom that a t reference may have. Moderation makes the variance certain; it does not make the effect normal: a
 * mean over H units whose noise has excess kurtosis κ keeps κ/H of it, which Student's t with 4 + 6H/κ degrees of freedom has too. κ = 0.75, on
 * the effective units (the contrast's df + 1), is what kept the false discovery rate of the hard fleet with 10 treated and 10 control hosts.
 */
function heaviestTail(df: number): number {
  return 4 + 8 * (df + 1);
}

/**
 * Empirical-Bayes moderation of the variances: with six hosts a function's own variance has five degrees of freedom, but
 * thousands of functions were measured on the same hosts. Design effects φ = V/V_binomial get a trend over ln samples, and each is drawn
 * towards it by as much as the functions agree: φ̃ = (d₀·s₀²·trend + d·φ)/(d₀ + d), with d₀ + d degrees of freedom.
 * Source: Smyth, SAGMB 3 (2004) (limma); quasi-likelihood and trend: Lund, Nettleton, McCarthy & Smyth, SAGMB 11 (2012) (edgeR).
 *
 * Two things differ from limma. d₀ and s₀² come from the quartiles of ln φ/trend, matched to those of F(d, d₀), not from its moments, and a variance
 * that the prior makes impossible is left alone with its own d degrees of freedom (both as in Phipson et al., Ann. Appl.
 * Stat. 10 (2016)): one function that runs wild on one host must neither widen all others nor be shrunk into a finding.
 * φ̃ is at least 1: samples cannot be less noisy than independent ones.
 */
export function moderate(table: EffectTable, df: number): Moderated {
  const functions = table.theta.length;
  const variance = new Float64Array(functions).fill(Number.NaN);
  const dfs = new Float64Array(functions).fill(df);
  const x: number[] = [];
  const y: number[] = [];
  const ids: number[] = [];
  for (let f = 0; f < functions; f++) {
    if (!isTestable(table, f)) continue;
    ids.push(f);
    x.push(Math.log((table.before[f] ?? 0) + (table.after[f] ?? 0)));
    y.push(Math.log(Math.max((table.variance[f] ?? 0) / (table.binomial[f] ?? 1), 1e-6)));
  }
  // With one unit on each side (df 0) samples are all that is known to vary.
  if (ids.length < MIN_FUNCTIONS || !(df > 0)) {
    const median = y.length > 0 ? Math.exp(quantile([...y].sort(ascending), 0.5)) : 1;
    for (const f of ids) variance[f] = Math.max(table.variance[f] ?? 0, table.binomial[f] ?? 0);
    const draw = (own: number, binomial: number): { variance: number; df: number } => ({
      variance: Math.max(own, binomial),
      df,
    });
    return { variance, df: dfs, draw, dispersionAt: () => Math.max(1, median), priorDf: 0 };
  }
  const trend = fitTrend(x, y);
  const rest = y.map((value, i) => value - trend(x[i] ?? 0)).sort(ascending);
  const spread = quantile(rest, 0.75) - quantile(rest, 0.25);
  const priorDf = priorDegrees(spread, df);
  const scale = Math.exp(quantile(rest, 0.5)) / fMedian(df, priorDf);
  const typicalAt = (samples: number): number => Math.exp(trend(Math.log(samples))) * scale;
  const draw = (own: number, binomial: number, samples: number): { variance: number; df: number } => {
    const typical = typicalAt(samples);
    const effect = own / binomial;
    const lent = fUpper(effect / typical, df, priorDf) < OUTLIER_P ? 0 : priorDf;
    const drawn = lent === Number.POSITIVE_INFINITY ? typical : (lent * typical + df * effect) / (lent + df);
    return { variance: Math.max(drawn, 1) * binomial, df: Math.min(df + lent, heaviestTail(df)) };
  };
  for (const f of ids) {
    const samples = (table.before[f] ?? 0) + (table.after[f] ?? 0);
    const drawn = draw(table.variance[f] ?? 0, table.binomial[f] ?? 1, samples);
    variance[f] = drawn.variance;
    dfs[f] = drawn.df;
  }
  return { variance, df: dfs, draw, dispersionAt: (samples) => Math.max(1, typicalAt(samples)), priorDf };
}

/** Beyond this the prior is taken as certain: one more function changes nothing. */
const MAX_PRIOR_DF = 1000;

/** The d₀ at which the interquartile range of ln F(d, d₀) is `spread`; infinite when even certainty spreads more. */
export function priorDegrees(spread: number, df: number): number {
  const at = (priorDf: number): number => Math.log(fQuantile(0.75, df, priorDf) / fQuantile(0.25, df, priorDf));
  if (at(MAX_PRIOR_DF) >= spread) return Number.POSITIVE_INFINITY;
  let low = Math.log(0.1);
  let high = Math.log(MAX_PRIOR_DF);
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (at(Math.exp(middle)) > spread) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/** Median of F(d, d₀). */
export function fMedian(df: number, priorDf: number): number {
  return fQuantile(0.5, df, Math.min(priorDf, 1e6));
}

export function ascending(a: number, b: number): number {
  return a - b;
}

/** Linear interpolation between order statistics of a sorted array. */
export function quantile(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
