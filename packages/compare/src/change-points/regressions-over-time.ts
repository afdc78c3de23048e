import { CompareFailure } from '../compare-failure.ts';
import { persists } from '../explain/persistence.ts';
import { benjaminiHochberg } from '../tests/benjamini-hochberg.ts';
import { type ChangePoint, findChangePoint, type MinuteSeries } from './change-point.ts';

export interface TimeInput {
  /** One series per function; all of the same length. */
  readonly series: readonly MinuteSeries[];
  /** First minute of the window in which changes are looked for; what lies before is history. */
  readonly from: number;
  /** Minutes of a cycle: 1440 for a day. With two of them or more in the history, the cycle is held against the window. */
  readonly period: number;
  /** Groups within which cost may only have moved (a class, a file, a caller's callees): members by index in `series`. */
  readonly domains: readonly (readonly number[])[];
  /** Default 0.02. */
  readonly minEffect?: number;
  /** Default 0.05. */
  readonly q?: number;
}

export interface TimeFinding extends ChangePoint {
  readonly id: number;
  readonly q: number;
  /** Others that changed at the same time in the same shape. */
  readonly duplicates: readonly number[];
}

/** How many series each stage let pass, in order. */
export interface Funnel {
  readonly series: number;
  readonly tested: number;
  readonly changed: number;
  readonly relevant: number;
  readonly lasting: number;
  readonly notMoved: number;
  readonly distinct: number;
}

/** Two series are one finding when their changes are this close (in parts of the window) … */
const SAME_TIME = 1 / 24;
/** … and they go together like this minute by minute (Pearson). */
const SAME_SHAPE = 0.8;

/**
 * Changes without a deployment: the funnel of FBDetect (SOSP 2024), §5, on minute counts. Change point (against the daily cycle where the history
 * knows it) → false discovery rate over all series → minimum effect → went away (the last third of what follows must keep the sign and half of the size)
 * → cost shift (the domain's own change within ±half of the function's) → duplicates. Each stage says how many it let pass.
 */
export function regressionsOverTime(input: TimeInput): {
  readonly findings: readonly TimeFinding[];
  readonly funnel: Funnel;
} {
  const { series, from, period, minEffect = 0.02, q = 0.05 } = input;
  const length = series[0]?.counts.length ?? 0;
  if (!(Number.isSafeInteger(period) && period > 0 && Number.isSafeInteger(from) && from >= 0 && from <= length))
    throw new CompareFailure('bad_option', `window from minute ${from} of ${length}, period ${period}`);
  if (series.some((one) => one.counts.length !== length || one.exposure.length !== length))
    throw new CompareFailure('bad_shape', 'series differ in length');
  const points = series.map((one) => findChangePoint(one, from, length, profileOf(one, from, period)));
  const qs = benjaminiHochberg(Float64Array.from(points, (point) => point?.p ?? Number.NaN));
  const changed: TimeFinding[] = [];
  for (const [id, point] of points.entries())
    if (point !== null && (qs[id] ?? 1) <= q) changed.push({ ...point, id, q: qs[id] ?? 1, duplicates: [] });
  const least = Math.log1p(minEffect);
  const relevant = changed.filter((one) => Math.abs(Math.log1p(one.change)) > least);
  const lasting = relevant.filter((one) => lasts(series[one.id], one, from, period));
  const notMoved = lasting.filter(
    (one) => !input.domains.some((domain) => domain.includes(one.id) && movedWithin(series, domain, one, length)),
  );
  const distinct = withoutDuplicates(notMoved, series, from);
  return {
    findings: distinct,
    funnel: {
      series: series.length,
      tested: points.filter((point) => point !== null).length,
      changed: changed.length,
      relevant: relevant.length,
      lasting: lasting.length,
      notMoved: notMoved.length,
      distinct: distinct.length,
    },
  };
}

/**
 * What the rate usually is at each minute of the window: the mean of the same minutes of earlier cycles, smoothed over half an hour, over the mean of all. `null` with less than
 * two cycles of history.
 */
export function profileOf(series: MinuteSeries, from: number, period: number): Float64Array | null {
  const cycles = Math.floor(from / period);
  if (cycles < 2) return null;
  const counts = new Float64Array(period);
  const exposure = new Float64Array(period);
  for (let minute = from - cycles * period; minute < from; minute++) {
    const phase = minute % period;
    counts[phase] = (counts[phase] ?? 0) + (series.counts[minute] ?? 0);
    exposure[phase] = (exposure[phase] ?? 0) + (series.exposure[minute] ?? 0);
  }
  const [all, allExposure] = [rateSum(counts), rateSum(exposure)];
  if (!(all > 0 && allExposure > 0)) return null;
  const half = Math.min(15, Math.floor(period / 4));
  const profile = new Float64Array(series.counts.length).fill(1);
  for (let minute = from; minute < profile.length; minute++) {
    let [x, n] = [0, 0];
    for (let off = -half; off <= half; off++) {
      const phase = (minute + off + period) % period;
      x += counts[phase] ?? 0;
      n += exposure[phase] ?? 0;
    }
    profile[minute] = x > 0 && n > 0 ? x / n / (all / allExposure) : 1;
  }
  return profile;
}

function rateSum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Mean rate of minutes, over what is usual then. */
function rateOf(series: MinuteSeries, profile: Float64Array | null, from: number, until: number): number {
  let [x, n] = [0, 0];
  for (let minute = from; minute < until; minute++) {
    x += series.counts[minute] ?? 0;
    n += (series.exposure[minute] ?? 0) * (profile?.[minute] ?? 1);
  }
  return x / n;
}

function lasts(series: MinuteSeries | undefined, point: ChangePoint, from: number, period: number): boolean {
  if (series === undefined) return false;
  const end = series.counts.length;
  const last = rateOf(
    series,
    profileOf(series, from, period),
    end - Math.max(1, Math.floor((end - point.minute) / 3)),
    end,
  );
  return persists(Math.log1p(point.change), Math.log(last / point.before));
}

/** Did the domain's own cost stay, within half of the function's change? Window before against window after, in absolute rates. */
function movedWithin(
  all: readonly MinuteSeries[],
  domain: readonly number[],
  point: TimeFinding,
  length: number,
): boolean {
  const delta = point.after - point.before;
  const span = Math.min(point.minute, length - point.minute);
  let total = 0;
  for (const id of domain) {
    const series = all.at(id);
    if (series !== undefined)
      total +=
        rateOf(series, null, point.minute, point.minute + span) -
        rateOf(series, null, point.minute - span, point.minute);
  }
  return Math.abs(total) <= 0.5 * Math.abs(delta);
}

/** The largest change of each group that changed together stands for it. */
function withoutDuplicates(
  findings: readonly TimeFinding[],
  series: readonly MinuteSeries[],
  from: number,
): TimeFinding[] {
  const kept: { finding: TimeFinding; duplicates: number[] }[] = [];
  for (const finding of findings.toSorted((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before))) {
    const one = series.at(finding.id);
    const near = (one?.counts.length ?? 0) - from;
    const same = kept.find(
      ({ finding: first }) =>
        Math.abs(first.minute - finding.minute) <= SAME_TIME * near &&
        correlation(series[first.id], one, from) >= SAME_SHAPE,
    );
    if (same === undefined) kept.push({ finding, duplicates: [] });
    else same.duplicates.push(finding.id);
  }
  return kept.map(({ finding, duplicates }) => ({ ...finding, duplicates }));
}

function correlation(a: MinuteSeries | undefined, b: MinuteSeries | undefined, from: number): number {
  if (a === undefined || b === undefined) return 0;
  const ratesOf = (series: MinuteSeries): Float64Array =>
    series.counts.subarray(from).map((count, i) => count / Math.max(series.exposure[from + i] ?? 0, 1));
  const [x, y] = [ratesOf(a), ratesOf(b)];
  const [meanX, meanY] = [rateSum(x) / x.length, rateSum(y) / y.length];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [(x[i] ?? 0) - meanX, (y[i] ?? 0) - meanY];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}
