import type { Labels } from '@everflame/profile';
import type { FunctionCounts, Selection } from '../../storage.ts';
import { countTypeIndex } from '../header.ts';
import { excluded, LabelView, type SelectedSeries } from '../label-view.ts';
import { typeIndex } from '../merge-run.ts';
import type { Part, PartSeries, ProfileRow } from '../part.ts';
import { decodeTotals } from '../vector.ts';
import { Vector } from '../vector-scratch.ts';
import { CountsCell } from './counts-cell.ts';
import { CountsRowReader } from './counts-row.ts';
import { type CountsSpan, minuteMs, type SpanTimes } from './counts-spans.ts';
import { FunctionNames } from './function-names.ts';
import { PartSums } from './part-sums.ts';
import { sampleCount } from './sample-count.ts';
import { factorWith, joinedFactor } from './value-per-sample.ts';

interface Group {
  readonly labels: Labels;
  /** By start of the step. */
  readonly cells: Map<number, CountsCell>;
}

/**
 * Counts stored profiles by function, by step and by labels of their series: from the counts that parts keep where these lie
 * within the range and a step, else from the samples.
 */
export class FunctionCountsRun {
  readonly #selection: Selection;
  readonly #stepMs: number;
  readonly #by: readonly string[];
  readonly #labels = new LabelView([]);
  readonly #groups = new Map<string, Group>();
  readonly #names = new FunctionNames();
  readonly #vector = new Vector();
  readonly #row = new CountsRowReader();
  /** Of any profile of a series in a part: more than needed, never less. */
  #dropsFrames = false;

  constructor(selection: Selection, stepMs: number, by: readonly string[]) {
    if (Number.isFinite(stepMs) && (stepMs < minuteMs || stepMs % minuteMs !== 0))
      throw new RangeError(`a step of ${stepMs} ms is not one of minutes`);
    this.#selection = selection;
    this.#stepMs = stepMs;
    this.#by = by;
  }

  /** Adds what is wanted of a part. */
  add(part: Part, selected: readonly { readonly series: PartSeries; readonly own: SelectedSeries }[]): void {
    const sums = new PartSums(part);
    this.#labels.use(part);
    for (const { series, own } of selected) {
      if (series.headers.some(({ header }) => header.dropFrames !== '' && typeIndex(header, this.#selection) >= 0))
        this.#dropsFrames = true;
      const group = this.#group(series.labels);
      // Kept counts are of all samples: conditions that samples decide have to look at each.
      const days = own.open.length === 0 ? series.counts() : null;
      const rest: SpanTimes[] = days === null ? [series] : [];
      for (const day of days ?? []) this.#addSpan(sums, group, day, rest);
      if (rest.length > 0) this.#scan(sums, group, series, own, rest);
    }
    sums.finish(this.#names);
  }

  /** @throws StorageError `sum_overflow` */
  finish(): FunctionCounts {
    const rows = [...this.#groups.values()].flatMap(({ labels, cells }) =>
      [...cells].sort(([a], [b]) => a - b).map(([timeMs, cell]) => cell.row(labels, timeMs)),
    );
    return { functions: this.#names.columns(), rows, ...(this.#dropsFrames ? { dropsFrames: true } : {}) };
  }

  #group(labels: Labels): Group {
    const own = Object.fromEntries(
      this.#by.flatMap((name) => (Object.hasOwn(labels, name) && labels[name] ? [[name, labels[name]]] : [])),
    );
    const key = JSON.stringify(own);
    const known = this.#groups.get(key) ?? { labels: own, cells: new Map<number, CountsCell>() };
    this.#groups.set(key, known);
    return known;
  }

  #cell({ cells }: Group, timeMs: number): CountsCell {
    const step = this.#stepOf(timeMs);
    const known = cells.get(step) ?? new CountsCell();
    cells.set(step, known);
    return known;
  }

  #stepOf(timeMs: number): number {
    return Number.isFinite(this.#stepMs) ? Math.floor(timeMs / this.#stepMs) * this.#stepMs : this.#selection.fromMs;
  }

  /** Adds what is kept of a span, and to `rest` what is not. */
  #addSpan(sums: PartSums, group: Group, span: CountsSpan, rest: SpanTimes[]): void {
    const { fromMs, untilMs, check } = this.#selection;
    const { firstMs, lastMs, read, parts } = span;
    if (lastMs < fromMs || firstMs >= untilMs) return;
    check?.();
    const isWhole = firstMs >= fromMs && lastMs < untilMs && this.#stepOf(firstMs) === this.#stepOf(lastMs);
    if (isWhole && read !== null) {
      read(this.#row);
      this.#addRow(sums, group, firstMs);
    } else if (parts === null) rest.push(span);
    else for (const part of parts()) this.#addSpan(sums, group, part, rest);
  }

  #addRow(sums: PartSums, group: Group, timeMs: number): void {
    const { header, values, factors, samples, profiles, durationNanos } = this.#row;
    const type = header === null ? -1 : typeIndex(header, this.#selection);
    if (type < 0) return;
    const cell = this.#cell(group, timeMs);
    cell.samples += samples;
    cell.value += values[type] ?? 0n;
    cell.factor = joinedFactor(cell.factor, factors[type] ?? Number.NaN);
    cell.durationNanos += durationNanos;
    cell.profiles += profiles;
    sums.addColumns(cell, this.#row);
  }

  /** Looks at the samples of the profiles within the spans, which are in order. */
  #scan(sums: PartSums, group: Group, series: PartSeries, own: SelectedSeries, spans: readonly SpanTimes[]): void {
    const { fromMs, untilMs, check } = this.#selection;
    let at = 0;
    for (const [i, row] of series.rows().entries()) {
      const { timeMs } = row;
      while (at < spans.length && (spans[at]?.lastMs ?? 0) < timeMs) at++;
      const isWithin = timeMs >= fromMs && timeMs < untilMs && timeMs >= (spans[at]?.firstMs ?? Infinity);
      const type = isWithin ? typeIndex(row.header, this.#selection) : -1;
      if (type < 0) continue;
      const sets = row.labelSets;
      const classes = this.#labels.classes(own, sets.length === 0 ? new Uint32Array(1) : sets);
      if (classes.every((one) => one === excluded)) continue;
      check?.();
      const cell = this.#cell(group, timeMs);
      series.read(i, this.#vector);
      cell.profiles++;
      cell.durationNanos += row.durationNanos;
      this.#addVector(sums, cell, row, classes, type);
    }
  }

  /** Adds the wanted samples of the profile at hand. */
  #addVector(sums: PartSums, cell: CountsCell, row: ProfileRow, classes: Int32Array, type: number): void {
    const vector = this.#vector;
    const types = row.header.sampleTypes;
    const countType = countTypeIndex(types);
    const isWhole = !classes.includes(excluded);
    const places = sums.places(vector.stacks, vector.rows);
    const samples = sums.samples(cell);
    let value = 0n;
    let { factor } = cell;
    for (let i = 0; i < vector.rows; i++) {
      if (!isWhole) {
        if ((classes[vector.sets[i] ?? 0] ?? excluded) === excluded) continue;
        value += vector.bigint(type, i);
      }
      const count = sampleCount(vector, types.length, countType, i);
      const place = (places[vector.stacks[i] ?? 0] ?? 0) - 1;
      samples[place] = (samples[place] ?? 0) + count;
      cell.samples += count;
      factor = factorWith(factor, count, vector.number(type, i));
    }
    cell.factor = factor;
    cell.value += isWhole ? (decodeTotals(row.totals, types.length).values[type] ?? 0n) : value;
  }
}
