import { CompareFailure } from '../compare-failure.ts';
import { cellsOf, type CountList, type SideCounts, sumOf, type UnitKind } from '../counts/side-counts.ts';

/** What counts are divided by. `share`: all samples of the service; `cores`: seconds of its instances; `request`: its requests. */
export type Normalisation = 'share' | 'cores' | 'request';

/** Student's t is the normal distribution here. */
const COUNTING_DF = 1e6;

/** One side in the contrast: which row each of its units is, and what the rows weigh. */
export interface Cell {
  readonly counts: SideCounts;
  /** Row of the contrast for each unit of the side. */
  readonly row: Uint32Array;
  /** +1 where it raises the effect, −1 where it lowers it. */
  readonly sign: number;
  /** Denominator per unit: samples, capacity in samples, or requests over the seconds of a sample. */
  readonly exposure: Float64Array;
  readonly exposureSum: number;
  /** Exposure per unit as a part of the sum. */
  readonly fraction: Float64Array;
  /** 1/√(1 − fraction): see `Contrast`. */
  readonly leverage: Float64Array;
}

/**
 * What is compared with what: ln(rate after / rate before), and where part of the fleet stayed on the old version, that minus the
 * same of the controls (difference-in-differences; Angrist & Pischke, Mostly Harmless Econometrics, §5.2).
 *
 * A rate is Σx/Σn over units, so that it is the plain flame graph's. Its uncertainty is between units (linearised ratio estimator,
 * cluster-robust: Cochran, Sampling Techniques, §6; Cameron & Miller 2015): unit h contributes
 * d_h = (x_ha/X_a − n_ha)·l_ha − (x_hb/X_b − n_hb)·l_hb with n its part of the exposure, and Var θ = Σ d_h². A unit that is on both
 * sides has one d_h: what is peculiar to it cancels, which is the pairing. One formula serves paired, unpaired and mixed fleets.
 * l_h = 1/√(1 − n_h) is the CR2 correction (Bell & McCaffrey, Survey Methodology 28 (2002)) for this estimator: with equal units it is
 * H/(H − 1), with unequal ones it gives the large units the residual that they pulled towards themselves.
 *
 * Time blocks are a series, not a sample: their variance is Newey–West's (Econometrica 55 (1987)) with L = 4(n/100)^(2/9) lags.
 */
export class Contrast {
  readonly normalisation: Normalisation;
  /** Before, after; then the controls' before and after. */
  readonly cells: readonly [before: Cell, after: Cell, ...controls: Cell[]];
  readonly rows: number;
  /** Units of the treated that both sides have. */
  readonly paired: number;
  /** Degrees of freedom of Σ d_h²; 0 when there is one unit on each side, so that nothing is known of how units differ. */
  readonly df: number;
  /** Degrees of freedom of intervals. With one unit on each side they know counting noise alone, whose size is certain. */
  readonly intervalDf: number;
  readonly kind: UnitKind;
  /** d_h of a function with no samples: −n_h·l_h of each cell with its sign. */
  readonly #base: Float64Array;

  constructor(
    sides: { readonly before: SideCounts; readonly after: SideCounts },
    controls: { readonly before: SideCounts; readonly after: SideCounts } | null,
    kind: UnitKind,
    normalisation: Normalisation,
  ) {
    this.kind = kind;
    this.normalisation = normalisation;
    const rowOf = new Map<string, number>();
    const cell = (counts: SideCounts, group: string, sign: number): Cell => {
      const exposure = exposureOf(counts, normalisation);
      const exposureSum = sumOf(exposure);
      const fraction = exposure.map((value) => (exposureSum > 0 ? value / exposureSum : 0));
      const row = Uint32Array.from(counts.unitNames, (name) => {
        const key = `${group}\0${name}`;
        const known = rowOf.get(key) ?? rowOf.size;
        rowOf.set(key, known);
        return known;
      });
      const leverage = fraction.map((part) => 1 / Math.sqrt(Math.max(1 - part, 1e-9)));
      return { counts, row, sign, exposure, exposureSum, fraction, leverage };
    };
    // Blocks of the two sides are different minutes: nothing pairs the third before with the third after.
    const group = (side: string): string => (kind === 'block' ? side : '');
    const cells: [Cell, Cell, ...Cell[]] = [cell(sides.before, group('b'), -1), cell(sides.after, group('a'), 1)];
    this.paired = cells[0].row.length + cells[1].row.length - rowOf.size;
    if (controls !== null) {
      cells.push(cell(controls.before, `control${group('b')}`, 1), cell(controls.after, `control${group('a')}`, -1));
    }
    this.cells = cells;
    this.rows = rowOf.size;
    this.#base = new Float64Array(this.rows);
    for (const one of cells) addTo(this.#base, one, (unit) => -(one.fraction[unit] ?? 0));
    this.df = degreesOfFreedom(cells, this.rows, kind);
    this.intervalDf = this.df > 0 ? this.df : COUNTING_DF;
  }

  /**
   * ln of the ratio of a function's rates, its d_h written to `influence` (length `rows`). Infinite when one side of the treated has
   * no samples (+ new, − gone); NaN when neither has, or when a control has none.
   */
  effect(id: number, list: CountList, influence: Float64Array): number {
    influence.set(this.#base);
    let theta = 0;
    for (const cell of this.cells) {
      const start = cell.counts.functionStart[id] ?? 0;
      const end = cell.counts.functionStart[id + 1] ?? 0;
      const cells = cellsOf(cell.counts, list);
      let sum = 0;
      for (let i = start; i < end; i++) sum += cells[i] ?? 0;
      theta += cell.sign * Math.log(sum / cell.exposureSum);
      if (sum === 0) continue;
      const scale = cell.sign / sum;
      const { row, leverage } = cell;
      const { cellUnit } = cell.counts;
      for (let i = start; i < end; i++) {
        const unit = cellUnit[i] ?? 0;
        const at = row[unit] ?? 0;
        influence[at] = (influence[at] ?? 0) + scale * (cells[i] ?? 0) * (leverage[unit] ?? 0);
      }
    }
    return theta;
  }

  /** The same for any counts per unit, one column for each cell: totals of units, sums over several functions. */
  effectOf(columns: readonly Float64Array[], influence: Float64Array): number {
    influence.set(this.#base);
    let theta = 0;
    for (const [i, cell] of this.cells.entries()) {
      const column = columns[i] ?? new Float64Array(0);
      const sum = sumOf(column);
      theta += cell.sign * Math.log(sum / cell.exposureSum);
      if (sum > 0) addTo(influence, cell, (unit) => (column[unit] ?? 0) / sum);
    }
    return theta;
  }

  /** Var θ of an effect from its influence. */
  variance(influence: Float64Array): number {
    let sum = 0;
    for (let h = 0; h < influence.length; h++) sum += (influence[h] ?? 0) ** 2;
    if (this.kind !== 'block') return sum;
    let first = 0;
    let robust = 0;
    for (const cell of this.cells) {
      robust += neweyWest(influence.subarray(first, first + cell.row.length));
      first += cell.row.length;
    }
    // Bartlett's weights keep it positive; half of the plain variance is a floor against negative chance correlation.
    return Math.max(robust, sum / 2);
  }

  /**
   * Var and degrees of freedom of ln of one side's rate of all samples, by the same estimator over the units of that side alone; at least
   * that of independent samples, and with one unit just that.
   */
  sideVariance(side: 'before' | 'after'): { readonly variance: number; readonly df: number } {
    const { counts, fraction, leverage } = this.cells[side === 'before' ? 0 : 1];
    const samples = sumOf(counts.unitSamples);
    const d = counts.unitSamples.map((value, h) => (value / samples - (fraction[h] ?? 0)) * (leverage[h] ?? 0));
    const between = d.reduce((sum, value) => sum + value * value, 0);
    const robust = this.kind === 'block' ? Math.max(neweyWest(d), between / 2) : between;
    const df = effective(fraction.map((part) => part * part))[0];
    return { variance: Math.max(robust, 1 / samples), df: df > 0 ? df : COUNTING_DF };
  }

  /** A rate in the normalisation's unit: a share, cores, or CPU seconds per request. */
  rate(side: 'before' | 'after', samples: number): number {
    return samples / this.cells[side === 'before' ? 0 : 1].exposureSum;
  }
}

function addTo(influence: Float64Array, cell: Cell, valueOf: (unit: number) => number): void {
  for (let unit = 0; unit < cell.row.length; unit++) {
    const at = cell.row[unit] ?? 0;
    influence[at] = (influence[at] ?? 0) + cell.sign * valueOf(unit) * (cell.leverage[unit] ?? 0);
  }
}

/** What counts of a side may be divided by; null: nobody counted it. */
function givenExposure(counts: SideCounts, normalisation: Normalisation): Float64Array | null {
  const given = { share: counts.unitSamples, cores: counts.unitSeconds, request: counts.unitRequests }[normalisation];
  return given !== null && sumOf(given) > 0 ? given : null;
}

/** Whether all of the sides that there are know what they would be divided by. */
export function isExposureKnown(sides: readonly (SideCounts | undefined)[], normalisation: Normalisation): boolean {
  return sides.every((side) => side === undefined || givenExposure(side, normalisation) !== null);
}

function exposureOf(counts: SideCounts, normalisation: Normalisation): Float64Array {
  const given = givenExposure(counts, normalisation);
  if (given === null) {
    const what = { share: 'samples', cores: 'seconds', request: 'requests' }[normalisation];
    throw new CompareFailure('no_exposure', `${counts.version} has no ${what}`);
  }
  return normalisation === 'share' ? given : given.map((value) => value / counts.secondsPerSample);
}

function lagsOf(n: number): number {
  return Math.min(Math.max(1, Math.floor(4 * (n / 100) ** (2 / 9))), Math.max(0, n - 1));
}

function neweyWest(series: Float64Array): number {
  const n = series.length;
  const lags = lagsOf(n);
  let sum = 0;
  for (let lag = 0; lag <= lags; lag++) {
    let product = 0;
    for (let t = lag; t < n; t++) product += (series[t] ?? 0) * (series[t - lag] ?? 0);
    sum += lag === 0 ? product : 2 * (1 - lag / (lags + 1)) * product;
  }
  return sum;
}

/**
 * Satterthwaite's degrees of freedom of Σ d_h² when the noise of a unit is in proportion to its size (Var d_h ∝ n_hb² + n_ha²): H − 1 for
 * H equal paired units, Welch's for unpaired ones, fewer when a few units carry most of the exposure. Mixed fleets take the smaller
 * of both. For blocks at most 3n/2(L + 1), the equivalent degrees of freedom of Bartlett's window (Priestley, Spectral Analysis, §6.2).
 */
function degreesOfFreedom(cells: readonly Cell[], rows: number, kind: UnitKind): number {
  const seen = new Uint8Array(rows);
  const weight = new Float64Array(rows);
  let welchTop = 0;
  let welchBottom = 0;
  let shared = 0;
  let sides = 0;
  for (const cell of cells) {
    const squares = cell.fraction.map((part) => part * part);
    const [df, sum] = effective(squares);
    const limited = kind === 'block' ? Math.min(df, (1.5 * cell.row.length) / (lagsOf(cell.row.length) + 1)) : df;
    welchTop += sum;
    welchBottom += (sum * sum) / limited;
    sides++;
    for (let unit = 0; unit < cell.row.length; unit++) {
      const at = cell.row[unit] ?? 0;
      if (seen[at] === 1) shared++;
      seen[at] = 1;
      weight[at] = (weight[at] ?? 0) + (squares[unit] ?? 0);
    }
  }
  const welch = (welchTop * welchTop) / welchBottom;
  // Controls have a mean of their own: one more degree of freedom is gone.
  const pairedDf = effective(weight)[0] - (sides === 4 ? 1 : 0);
  const df = shared === 0 ? welch : Math.min(pairedDf, welch);
  return df > 0 ? df : 0;
}

function effective(squares: Float64Array): [df: number, sum: number] {
  let sum = 0;
  let fourth = 0;
  for (const value of squares) {
    sum += value;
    fourth += value * value;
  }
  return [fourth > 0 ? (sum * sum) / fourth - 1 : 0, sum];
}
