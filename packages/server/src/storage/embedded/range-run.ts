import type { Labels } from '@everflame/profile';
import { type RangeSeries, StorageError } from '../storage.ts';
import type { Dictionary } from './dictionary.ts';
import { countTypeIndex, type Header } from './header.ts';
import { excluded, LabelView, type SelectedSeries } from './label-view.ts';
import { decodeLabelSets, decodeTotals, VectorReader } from './vector.ts';

/** One profile as `range` meets it: its totals, and its vector only when they are not enough. */
export interface TotalledProfile {
  readonly series: SelectedSeries;
  readonly header: Header;
  /** The asked sample type's index in the header. */
  readonly type: number;
  readonly timeMs: number;
  readonly labelSets: Uint8Array;
  readonly totals: Uint8Array;
}

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

  constructor(dictionary: Dictionary, stepMs: number, by: readonly string[]) {
    this.#labels = new LabelView(dictionary, by);
    this.#stepMs = stepMs;
  }

  add(profile: TotalledProfile, data: () => Uint8Array): void {
    const sets = decodeLabelSets(profile.labelSets);
    const classes = this.#labels.classes(profile.series, sets.length === 0 ? new Uint32Array(1) : sets);
    const first = classes[0] ?? excluded;
    if (classes.every((one) => one === first)) {
      if (first === excluded) return;
      const totals = decodeTotals(profile.totals, profile.header.sampleTypes.length);
      this.#addTo(first, profile.timeMs, totals.values[profile.type] ?? 0n, totals.samples);
      return;
    }
    this.#addVector(profile, classes, new VectorReader(data()));
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

  #addVector(profile: TotalledProfile, classes: Int32Array, vector: VectorReader): void {
    const sets = new Uint32Array(vector.rows);
    vector.stacks(sets);
    vector.labelSets(sets);
    const values = classes.length === 0 ? [] : this.#labels.classLabels.map(() => 0n);
    const counts = values.map(() => 0);
    const classOf = (row: number) => classes[sets[row] ?? 0] ?? excluded;
    const types = profile.header.sampleTypes;
    const countType = countTypeIndex(types);
    for (let t = 0; t <= types.length; t++) {
      if (t === types.length && countType >= 0) break;
      vector.numbers((row, low, high) => {
        const own = classOf(row);
        if (own === excluded) return;
        if (t === profile.type) values[own] = (values[own] ?? 0n) + ((BigInt(high) << 32n) | BigInt(low >>> 0));
        if (t === countType || t === types.length)
          counts[own] = (counts[own] ?? 0) + high * 4_294_967_296 + (low >>> 0);
      });
    }
    for (const own of new Set(classes)) {
      if (own !== excluded) this.#addTo(own, profile.timeMs, values[own] ?? 0n, counts[own] ?? 0);
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
