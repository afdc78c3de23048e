import { fUpper } from '../distributions/f-distribution.ts';
import { tQuantileUpper } from '../distributions/student-t.ts';

/** A function's or a service's samples minute by minute, and what they are divided by (all samples, or capacity). */
export interface MinuteSeries {
  readonly counts: Float64Array;
  readonly exposure: Float64Array;
}

export interface ChangePoint {
  /** First minute after the change. */
  readonly minute: number;
  /** Rates on both sides of it within the window. */
  readonly before: number;
  readonly after: number;
  /** Relative change with its 95 % interval. */
  readonly change: number;
  readonly interval: readonly [low: number, high: number];
  /** Of "there is a change somewhere in the window". */
  readonly p: number;
}

/** Minutes are gathered in at most so many blocks: it bounds the tests, and what is left of their correlation is short. */
const BLOCKS = 48;
/** A change must leave so many blocks on each side: fewer cannot show how much blocks differ. */
const MIN_SIDE = 8;

/**
 * The most likely change point of the rate in `series[from, until)`, by the likelihood ratio over all splits (CUSUM; Page, Biometrika 41 (1954); as in FBDetect,
 * SOSP 2024, §5.2.1). FBDetect holds the largest ratio against χ² as if the split had been known, and as if minutes were independent, which its later stages then mend. Here the
 * noise is between blocks of minutes with Newey–West's variance, the reference is F with the degrees of freedom of that window (1.5 × blocks / (lags + 1)), and the p-value of
 * the largest is multiplied by the number of splits that were looked at.
 *
 * `profile`: what the rate usually is at each minute, when the daily cycle is known; counts are held against it. `null` when the window is too short or empty.
 */
export function findChangePoint(
  series: MinuteSeries,
  from: number,
  until: number,
  profile: Float64Array | null,
): ChangePoint | null {
  const size = Math.max(1, Math.ceil((until - from) / BLOCKS));
  const blocks = Math.floor((until - from) / size);
  if (blocks < 2 * MIN_SIDE + 1) return null;
  const counts = new Float64Array(blocks);
  const exposure = new Float64Array(blocks);
  for (let b = 0; b < blocks; b++) {
    for (let minute = from + b * size; minute < from + (b + 1) * size; minute++) {
      counts[b] = (counts[b] ?? 0) + (series.counts[minute] ?? 0);
      exposure[b] =
        (exposure[b] ?? 0) + (series.exposure[minute] ?? 0) * (profile === null ? 1 : (profile[minute] ?? 1));
    }
  }
  let best: Split | null = null;
  for (let at = MIN_SIDE; at <= blocks - MIN_SIDE; at++) {
    const split = splitAt(counts, exposure, at);
    if (split !== null && (best === null || split.gain > best.gain)) best = split;
  }
  if (best === null || !(best.before > 0 && best.after > 0)) return null;
  const { variance, df } = noiseOf(counts, exposure, best);
  const theta = Math.log(best.after / best.before);
  const looked = blocks - 2 * MIN_SIDE + 1;
  const p = Math.min(1, looked * fUpper((theta * theta) / variance, 1, df));
  const reach = tQuantileUpper(0.025, df) * Math.sqrt(variance);
  return {
    minute: from + best.at * size,
    before: best.before,
    after: best.after,
    change: Math.expm1(theta),
    interval: [Math.expm1(theta - reach), Math.expm1(theta + reach)],
    p,
  };
}

interface Split {
  readonly at: number;
  readonly before: number;
  readonly after: number;
  /** Twice the Poisson log-likelihood that the split gains. */
  readonly gain: number;
}

function splitAt(counts: Float64Array, exposure: Float64Array, at: number): Split | null {
  const [xb, nb] = [sum(counts, 0, at), sum(exposure, 0, at)];
  const [xa, na] = [sum(counts, at, counts.length), sum(exposure, at, exposure.length)];
  if (!(nb > 0 && na > 0 && xb + xa > 0)) return null;
  const both = (xb + xa) / (nb + na);
  const part = (x: number, n: number): number => (x > 0 ? x * Math.log(x / n / both) : 0);
  return { at, before: xb / nb, after: xa / na, gain: 2 * (part(xb, nb) + part(xa, na)) };
}

/** Var of ln after/before, from the residuals of both sides, correlated in time. */
function noiseOf(counts: Float64Array, exposure: Float64Array, split: Split): { variance: number; df: number } {
  const blocks = counts.length;
  const [nb, na] = [sum(exposure, 0, split.at), sum(exposure, split.at, blocks)];
  const residual = counts.map((count, b) => {
    const [rate, all] = b < split.at ? [split.before, nb] : [split.after, na];
    return (count - rate * (exposure[b] ?? 0)) / (rate * all);
  });
  const lags = Math.max(2, Math.floor(4 * (blocks / 100) ** (2 / 9)));
  // The end of one side says nothing about the noise of the other's beginning: each side for itself.
  const variance = longRun(residual.subarray(0, split.at), lags) + longRun(residual.subarray(split.at), lags);
  const independent = 1 / (split.before * nb) + 1 / (split.after * na);
  return { variance: Math.max(variance, independent), df: (1.5 * blocks) / (lags + 1) };
}

/**
 * Newey–West's variance of the sum of residuals around their own mean. Taking the mean off leaves m − 1 − L of m for white noise (each of the L
 * Bartlett-weighted lags loses what the mean took), so that short sides would look quiet: given back by m/(m − 1 − L).
 */
function longRun(residual: Float64Array, lags: number): number {
  const length = residual.length;
  let variance = 0;
  for (let lag = 0; lag <= lags; lag++) {
    let product = 0;
    for (let b = lag; b < length; b++) product += (residual[b] ?? 0) * (residual[b - lag] ?? 0);
    variance += lag === 0 ? product : 2 * (1 - lag / (lags + 1)) * product;
  }
  return (Math.max(variance, 0) * length) / (length - 1 - lags);
}

function sum(values: Float64Array, from: number, until: number): number {
  let total = 0;
  for (let i = from; i < until; i++) total += values[i] ?? 0;
  return total;
}
