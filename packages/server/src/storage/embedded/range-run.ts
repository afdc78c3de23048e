import type { Labels } from '@everflame/profile';
import { type RangeSeries, StorageError } from '../storage.ts';
import { countTypeIndex } from './header.ts';
import { excluded, LabelView, type SelectedSeries } from './label-view.ts';
import type { Part, ProfileRow } from './part.ts';
import type { Vector } from './vector-scratch.ts';
import { decodeTotals } from './vector.ts';

interface Step {
  value: bigint;
  samples: number;
}

/** Sums profiles by step and by the labels asked for. */
export class RangeRun {
  readonly #labels: LabelView;
  readonly #stepMs: number;
  /** By class of labels, then by start of the step. */
  readonly #steps: Map<number, Step>[] = [];

  constructor(stepMs: number, by: readonly string[]) {
    this.#labels = new LabelView(by);
    this.#stepMs = stepMs;
  }

  begin(part: Part): void {
    this.#labels.use(part);
  }

  /** `type` is the asked sample type's index; the samples are read only when the totals are not enough. */
  add(series: SelectedSeries, row: ProfileRow, type: number, read: () => Vector): void {
    const sets = row.labelSets;
    const classes = this.#labels.classes(series, sets.length === 0 ? new Uint32Array(1) : sets);
    const first = classes[0] ?? excluded;
    if (classes.every((one) => one === first)) {
      if (first === excluded) return;
      const totals = decodeTotals(row.totals, row.header.sampleTypes.length);
      this.#addTo(first, row.timeMs, totals.values[type] ?? 0n, totals.samples);
      return;
    }
    this.#addVector(row, classes, type, read());
  }

  finish(): RangeSeries[] {
    const series: RangeSeries[] = [];
    for (const [number, steps] of this.#steps.entries()) {
      const entries = [...steps].sort(([a], [b]) => a - b);
      for (const [, { value }] of entries) {
        if (value === BigInt.asIntN(64, value)) continue;
        throw new StorageError('sum_overflow', 'the sum of a step leaves int64: ask for a shorter step');
      }
      const labels = (this.#labels.classLabels[number] ?? []).map(({ key, text }) => [key, text ?? ''] as const);
      series.push({
        labels: Object.fromEntries(labels) as Labels,
        times: entries.map(([time]) => time),
        values: entries.map(([, { value }]) => value),
        samples: entries.map(([, { samples }]) => samples),
      });
    }
    return series.filter(({ times }) => times.length > 0);
  }

  #addVector({ header, timeMs }: ProfileRow, classes: Int32Array, type: number, vector: Vector): void {
    const values = this.#labels.classLabels.map(() => 0n);
    const counts = values.map(() => 0);
    const countType = countTypeIndex(header.sampleTypes);
    const countColumn = countType < 0 ? header.sampleTypes.length : countType;
    for (let i = 0; i < vector.rows; i++) {
      const own = classes[vector.sets[i] ?? 0] ?? excluded;
      if (own === excluded) continue;
      values[own] = (values[own] ?? 0n) + vector.bigint(type, i);
      counts[own] = (counts[own] ?? 0) + vector.number(countColumn, i);
    }
    for (const own of new Set(classes)) {
      if (own !== excluded) this.#addTo(own, timeMs, values[own] ?? 0n, counts[own] ?? 0);
    }
  }

  #addTo(labelClass: number, timeMs: number, value: bigint, samples: number): void {
    while (this.#steps.length <= labelClass) this.#steps.push(new Map());
    const steps = this.#steps[labelClass];
    const start = Math.floor(timeMs / this.#stepMs) * this.#stepMs;
    const step = steps?.get(start);
    if (step === undefined) steps?.set(start, { value, samples });
    else {
      step.value += value;
      step.samples += samples;
    }
  }
}
