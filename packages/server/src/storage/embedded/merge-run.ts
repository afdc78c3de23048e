import { mergeProfiles, type Profile, ProfileBuilder, type ValueType } from '@everflame/profile';
import { type MergeQuery, type Merged, StorageError } from '../storage.ts';
import type { Dictionary } from './dictionary.ts';
import { countTypeIndex, type Header } from './header.ts';
import { excluded, LabelView, type SelectedSeries } from './label-view.ts';
import { RowWriter } from './row-writer.ts';
import { decodeLabelSets, VectorReader } from './vector.ts';
import { WordTable } from './word-table.ts';

/** One row of the table of profiles with what its numbers stand for. */
export interface StoredProfile {
  readonly id: number;
  readonly series: SelectedSeries;
  readonly header: Header;
  readonly timeMs: number;
  readonly labelSets: Uint8Array;
  readonly data: Uint8Array;
}

/** How a run sums: which types, and whether in float64 (exact up to 2^53, several times faster) or in BigInt. */
export interface MergeMode {
  readonly onlyAskedType: boolean;
  readonly bigSums: boolean;
}

/** Why a run has to be made again in another mode. */
export type Retry = 'shapes_differ' | 'beyond_float64';

interface Part {
  readonly id: number;
  readonly header: Header;
  readonly timeNanos: bigint;
  readonly durationNanos: bigint;
  readonly mainMapping: number;
}

/** Sums the vectors of stored profiles by (stack, class of labels). */
export class MergeRun {
  readonly #dictionary: Dictionary;
  readonly #query: MergeQuery;
  readonly #mode: MergeMode;
  readonly #labels: LabelView;
  readonly #parts: Part[] = [];
  readonly #rows = new WordTable(2);
  readonly #key = new Uint32Array(2);
  /** Row-major: one number for each summed type, then the count. */
  #sums = new Float64Array(1024);
  readonly #bigSums: bigint[] = [];
  #types: readonly ValueType[] = [];
  #shape = '';
  #retry: Retry | null = null;
  #scratch = new Uint32Array(1024);
  #rowOf = new Uint32Array(1024);
  /** By sample of the profile at hand. */
  #counts = new Float64Array(1024);
  #isSomething = new Uint8Array(1024);

  constructor(dictionary: Dictionary, query: MergeQuery, mode: MergeMode) {
    this.#dictionary = dictionary;
    this.#query = query;
    this.#mode = mode;
    this.#labels = new LabelView(dictionary, query.labels);
  }

  /** Adds one profile. A reason instead of null: throw this run away. */
  add(stored: StoredProfile): Retry | null {
    const sets = decodeLabelSets(stored.labelSets);
    const classes = this.#labels.classes(stored.series, sets);
    // A profile without samples counts by its series' labels alone: as the empty label set.
    const own = sets.length === 0 ? this.#labels.classes(stored.series, new Uint32Array(1)) : classes;
    if (own.every((one) => one === excluded)) return null;
    if (!this.#takesShape(stored.header)) return 'shapes_differ';

    const vector = new VectorReader(stored.data);
    this.#parts.push({
      id: stored.id,
      header: stored.header,
      timeNanos: BigInt(stored.timeMs) * 1_000_000n + BigInt(vector.timeRestNanos),
      durationNanos: vector.durationNanos,
      mainMapping: vector.mainMapping,
    });
    this.#locateRows(vector, classes);
    const all = stored.header.sampleTypes;
    const width = this.#types.length + 1;
    const countType = countTypeIndex(all);
    for (let t = 0; t < all.length; t++) {
      const column = this.#mode.onlyAskedType ? (this.#isAsked(all, t) ? 0 : -1) : t;
      this.#addColumn(vector, width, column, t === countType);
    }
    if (countType < 0) this.#addColumn(vector, width, -1, true);
    this.#addCounts(vector.rows, width);
    return this.#retry;
  }

  /** Null: again with bigger sums. */
  finish(): Merged {
    const types = this.#types.length > 0 ? this.#types : [this.#query.sampleType];
    const parts = this.#parts.toSorted((a, b) =>
      a.timeNanos < b.timeNanos ? -1 : a.timeNanos > b.timeNanos ? 1 : a.id - b.id,
    );
    const builder = new ProfileBuilder({
      sampleTypes: types,
      periodType: this.#query.periodType,
      ...combineHeaders(parts, types),
    });
    const writer = new RowWriter(this.#dictionary, builder);
    for (const part of parts) if (part.mainMapping > 0 && writer.mapping(part.mainMapping) > 0) break;
    const classes = this.#labels.classLabels.map((labels) => builder.labelSet(labels));
    const width = types.length + 1;
    for (let row = 1; row < this.#rows.length; row++) {
      const values: bigint[] = [];
      for (let t = 0; t < types.length; t++) values.push(this.#sum(row * width + t));
      // As pprof's merge: what sums to nothing is nothing.
      if (values.every((value) => value === 0n)) continue;
      const stack = writer.stack(this.#rows.words[row * 2] ?? 0);
      const labelSet = classes[this.#rows.words[row * 2 + 1] ?? 0] ?? 0;
      builder.add(stack, labelSet, values, Number(this.#sum(row * width + types.length)));
    }
    const profile = builder.build();
    return {
      profile: writer.hasTwinMappings() ? joined(profile) : profile,
      typeIndex: types.findIndex((_, t) => this.#isAsked(types, t)),
      profiles: parts.length,
    };
  }

  #takesShape(header: Header): boolean {
    if (this.#mode.onlyAskedType) {
      this.#types = [this.#query.sampleType];
      return true;
    }
    const shape = JSON.stringify(header.sampleTypes);
    if (this.#parts.length === 0) {
      this.#shape = shape;
      this.#types = header.sampleTypes;
    }
    return this.#shape === shape;
  }

  #isAsked(types: readonly ValueType[], t: number): boolean {
    const { sampleType } = this.#query;
    const first = types.findIndex(({ type, unit }) => type === sampleType.type && unit === sampleType.unit);
    return first === t;
  }

  /** Fills `rowOf` with the row of each sample; 0 where it is left out. */
  #locateRows(vector: VectorReader, classes: Int32Array): void {
    if (vector.rows > this.#scratch.length) {
      this.#scratch = new Uint32Array(vector.rows * 2);
      this.#rowOf = new Uint32Array(vector.rows * 2);
      this.#counts = new Float64Array(vector.rows * 2);
      this.#isSomething = new Uint8Array(vector.rows * 2);
    }
    this.#isSomething.fill(0, 0, vector.rows);
    const stacks = this.#rowOf;
    vector.stacks(stacks);
    vector.labelSets(this.#scratch);
    for (let i = 0; i < vector.rows; i++) {
      const labelClass = classes[this.#scratch[i] ?? 0] ?? excluded;
      if (labelClass === excluded) {
        this.#rowOf[i] = 0;
        continue;
      }
      this.#key[0] = stacks[i] ?? 0;
      this.#key[1] = labelClass;
      this.#rowOf[i] = this.#rows.intern(this.#key, 2);
    }
    const needed = this.#rows.length * (this.#types.length + 1);
    if (!this.#mode.bigSums && needed > this.#sums.length) {
      const larger = new Float64Array(needed * 2);
      larger.set(this.#sums);
      this.#sums = larger;
    }
  }

  /** Adds the vector's next column to column `column` of the sums (-1: to none), and keeps it as the counts if it is them. */
  #addColumn(vector: VectorReader, width: number, column: number, isCount: boolean): void {
    const rowOf = this.#rowOf;
    const counts = this.#counts;
    const isSomething = this.#isSomething;
    const { bigSums } = this.#mode;
    const sums = this.#sums;
    vector.numbers((i, low, high) => {
      const row = rowOf[i] ?? 0;
      if (row === 0) return;
      const value = high * 4_294_967_296 + (low >>> 0);
      if (isCount) counts[i] = value;
      if (column < 0) return;
      if (value !== 0) isSomething[i] = 1;
      if (bigSums) {
        this.#addBig(row * width + column, (BigInt(high) << 32n) | BigInt(low >>> 0));
        return;
      }
      const sum = (sums[row * width + column] ?? 0) + value;
      sums[row * width + column] = sum;
      if (!Number.isSafeInteger(sum) || !Number.isSafeInteger(value)) this.#retry = 'beyond_float64';
    });
  }

  /** Counts those samples that have a value: pprof's merge leaves out the others. */
  #addCounts(rows: number, width: number): void {
    for (let i = 0; i < rows; i++) {
      const row = this.#rowOf[i] ?? 0;
      if (row === 0 || this.#isSomething[i] === 0) continue;
      const at = row * width + width - 1;
      if (this.#mode.bigSums) this.#addBig(at, BigInt(this.#counts[i] ?? 0));
      else this.#sums[at] = (this.#sums[at] ?? 0) + (this.#counts[i] ?? 0);
    }
  }

  #addBig(at: number, value: bigint): void {
    this.#bigSums[at] = (this.#bigSums[at] ?? 0n) + value;
  }

  #sum(at: number): bigint {
    if (!this.#mode.bigSums) return BigInt(this.#sums[at] ?? 0);
    const sum = this.#bigSums[at] ?? 0n;
    if (sum === BigInt.asIntN(64, sum)) return sum;
    throw new StorageError('sum_overflow', 'a sum in this range leaves int64: ask for a shorter range or fewer series');
  }
}

/** One binary at two addresses becomes one, as pprof's merge does it. */
function joined(profile: Profile): Profile {
  const result = mergeProfiles([profile]);
  if (result.ok) return result.profile;
  if (result.error.code === 'overflow') throw new StorageError('sum_overflow', result.error.message);
  throw new Error(`a stored profile cannot be merged: ${result.error.message}`);
}

/** As `combineHeaders` of google/pprof's merge: earliest start, durations summed, longest period, the first of each text. */
function combineHeaders(parts: readonly Part[], types: readonly ValueType[]) {
  const first = parts[0]?.header;
  const comments = new Set<string>();
  let timeNanos = 0n;
  let durationNanos = 0n;
  let period = 0n;
  for (const { header, timeNanos: time, durationNanos: duration } of parts) {
    if (timeNanos === 0n || time < timeNanos) timeNanos = time;
    durationNanos += duration;
    if (header.period > period) period = header.period;
    for (const comment of header.comments) comments.add(comment);
  }
  const defaultSampleType = parts.find(({ header }) => header.defaultSampleType !== '')?.header.defaultSampleType ?? '';
  return {
    timeNanos,
    durationNanos: BigInt.asIntN(64, durationNanos),
    period,
    comments: [...comments],
    defaultSampleType: types.some(({ type }) => type === defaultSampleType) ? defaultSampleType : '',
    dropFrames: first?.dropFrames ?? '',
    keepFrames: first?.keepFrames ?? '',
    docUrl: parts.find(({ header }) => header.docUrl !== '')?.header.docUrl ?? '',
  };
}
