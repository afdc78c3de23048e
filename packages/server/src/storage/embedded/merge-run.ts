import { discard, mergeProfiles, type Profile, ProfileBuilder, type ValueType } from '@everflame/profile';
import { type MergeQuery, type Merged, type Selection, StorageError } from '../storage.ts';
import { countTypeIndex, type Header } from './header.ts';
import { excluded, LabelView, type SelectedSeries } from './label-view.ts';
import { longer } from './longer.ts';
import { MergedHeader } from './merged-header.ts';
import type { Part, PartSeries, ProfileRow, RollupNode } from './part.ts';
import { RowWriter } from './row-writer.ts';
import { SampleSums } from './sample-sums.ts';
import { StackMerger } from './stack-merger.ts';
import { Marks } from './tree/marks.ts';
import { Vector } from './vector-scratch.ts';
import { WordTable } from './word-table.ts';

/** How a run sums: which types, and whether in float64 (exact up to 2^53, several times faster) or in BigInt. */
export interface MergeMode {
  readonly onlyAskedType: boolean;
  readonly bigSums: boolean;
}

/** Why a run has to be made again in another mode. */
export type Retry = 'shapes_differ' | 'beyond_float64';

/** What one part comes to: sums by (leaf, class of labels). Row-major: one number for each summed type, then the count. */
interface PartSums {
  readonly part: Part;
  readonly rows: WordTable;
  sums: Float64Array;
  readonly bigSums: bigint[];
}

/** Sums stored profiles by (stack, class of labels). */
export class MergeRun {
  readonly #query: MergeQuery;
  readonly #mode: MergeMode;
  readonly #labels: LabelView;
  readonly #header = new MergedHeader();
  readonly #parts: PartSums[] = [];
  readonly #key = new Uint32Array(2);
  readonly #vector = new Vector();
  #types: readonly ValueType[] = [];
  #shape = '';
  #retry: Retry | null = null;

  constructor(query: MergeQuery, mode: MergeMode) {
    this.#query = query;
    this.#mode = mode;
    this.#labels = new LabelView(query.labels);
  }

  /** From here on series are those of this part. */
  begin(part: Part): void {
    this.#labels.use(part);
    this.#parts.push({ part, rows: new WordTable(2), sums: new Float64Array(1024), bigSums: [] });
  }

  /** Adds what the query wants of a series. A reason instead of null: throw this run away. */
  add(series: PartSeries, selected: SelectedSeries): Retry | null {
    const { fromMs, untilMs } = this.#query;
    const rows = series.rows();
    const whole = new Int32Array(rows.length).fill(excluded);
    const classesOf: (Int32Array | null)[] = [];
    for (const [i, { timeMs, header, labelSets }] of rows.entries()) {
      classesOf.push(null);
      if (timeMs < fromMs || timeMs >= untilMs || typeIndex(header, this.#query) < 0) continue;
      // A profile without samples counts by its series' labels alone: as the empty label set.
      const classes = this.#labels.classes(selected, labelSets.length === 0 ? new Uint32Array(1) : labelSets);
      if (classes.every((one) => one === excluded)) continue;
      if (!this.#takesShape(header)) return 'shapes_differ';
      classesOf[i] = classes;
      const first = classes[0] ?? excluded;
      if (classes.every((one) => one === first)) whole[i] = first;
    }
    const nodes = this.#mode.onlyAskedType || this.#mode.bigSums ? null : nodesByFirst(series);
    for (let i = 0; i < rows.length;) {
      const classes = classesOf[i] ?? null;
      if (classes === null) {
        i++;
        continue;
      }
      const node = nodes?.get(i)?.find((one) => isWhole(whole, one)) ?? null;
      const end = i + (node?.count ?? 1);
      if (node === null) series.read(i, this.#vector);
      else series.readNode(node, this.#vector);
      this.#addVector(rows[i]?.header, node === null ? classes : Int32Array.of(whole[i] ?? excluded), node !== null);
      for (; i < end; i++) this.#addFacts(rows[i]);
      if (this.#retry !== null) return this.#retry;
    }
    return null;
  }

  /** `between`: called after each part, whose dictionary may be dropped then. */
  finish(between: () => void): Merged | Retry {
    const types = this.#types.length > 0 ? this.#types : [this.#query.sampleType];
    const builder = new ProfileBuilder({
      sampleTypes: types,
      periodType: this.#query.periodType,
      ...this.#header.combined(types),
    });
    // Dictionaries are large: that of a part is asked for when it is its turn, and given up then.
    const writers = new Map<Part, RowWriter>();
    const writerOf = (part: Part): RowWriter => {
      const writer = writers.get(part) ?? new RowWriter(part.dictionary, builder);
      writers.set(part, writer);
      return writer;
    };
    for (const { part, mapping } of this.#header.mainMappings()) if (writerOf(part).mapping(mapping) > 0) break;
    const stacks = new StackMerger();
    const sums = new SampleSums(types.length + 1, this.#mode.bigSums);
    const classes = this.#labels.classLabels.map((labels) => builder.labelSet(labels));
    for (const one of this.#parts) {
      if (!this.#addPart(one, writerOf(one.part), classes, { stacks, samples: sums })) return 'beyond_float64';
      writers.delete(one.part);
      between();
    }
    const { hasZero, ...samples } = sums.columns();
    const profile = { ...builder.build(), stacks: stacks.finish(), samples };
    const isAlone = this.#header.profiles === 1;
    return {
      // One profile alone is as it was posted, whatever two of its mappings have in common.
      profile: hasZero || (!isAlone && hasTwinMappings(profile)) ? joined(profile, isAlone) : profile,
      typeIndex: types.findIndex((_, t) => this.#isAsked(types, t)),
      profiles: this.#header.profiles,
    };
  }

  /** The part's sums in the rows of the result. False where float64 is not enough. */
  #addPart(
    { part, rows, sums, bigSums }: PartSums,
    writer: RowWriter,
    classes: readonly number[],
    { stacks, samples }: { readonly stacks: StackMerger; readonly samples: SampleSums },
  ): boolean {
    const width = this.#types.length + 1;
    const { leaves, dictionary } = part;
    const stackOf = (row: number) => {
      const leaf = rows.words[row * 2] ?? 0;
      return leaves === null ? leaf : (leaves[leaf] ?? 0);
    };
    const numbers: ArrayLike<bigint | number> = this.#mode.bigSums ? bigSums : sums;
    const marked = new Marks();
    marked.reserve(dictionary.stacks.length);
    for (let row = 1; row < rows.length; row++) if (!isZero(numbers, row * width, width)) marked.add(stackOf(row));
    const merged = stacks.add(dictionary, marked, writer);
    for (let row = 1; row < rows.length; row++) {
      if (isZero(numbers, row * width, width)) continue;
      const labelSet = classes[rows.words[row * 2 + 1] ?? 0] ?? 0;
      if (!samples.add(merged[stackOf(row)] ?? 0, labelSet, numbers, row * width)) return false;
    }
    discard(merged, sums);
    rows.discard();
    return true;
  }

  #takesShape(header: Header): boolean {
    if (this.#mode.onlyAskedType) {
      this.#types = [this.#query.sampleType];
      return true;
    }
    const shape = JSON.stringify(header.sampleTypes);
    if (this.#shape === '') {
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

  #addFacts(row: ProfileRow | undefined): void {
    const part = this.#parts.at(-1)?.part;
    if (row !== undefined && part !== undefined) this.#header.add(row, part);
  }

  /** Adds the vector at hand. Of a profile only what has a value is counted, as in pprof's merge; a rollup has done so. */
  #addVector(header: Header | undefined, classes: Int32Array, isRollup: boolean): void {
    const one = this.#parts.at(-1);
    if (one === undefined || header === undefined) return;
    const vector = this.#vector;
    const width = this.#types.length + 1;
    const all = header.sampleTypes;
    const countType = countTypeIndex(all);
    const countColumn = countType < 0 ? all.length : countType;
    const asked = this.#mode.onlyAskedType ? all.findIndex((_, t) => this.#isAsked(all, t)) : -1;
    for (let i = 0; i < vector.rows; i++) {
      const labelClass = classes[vector.sets[i] ?? 0] ?? excluded;
      if (labelClass === excluded) continue;
      this.#key[0] = vector.stacks[i] ?? 0;
      this.#key[1] = labelClass;
      const at = one.rows.intern(this.#key, 2) * width;
      if (at + width > one.sums.length && !this.#mode.bigSums)
        one.sums = longer(one.sums, Math.max(at + width, one.sums.length * 2));
      let isSomething = isRollup;
      for (let t = 0; t < width - 1; t++) {
        if (this.#addNumber(one, at + t, asked < 0 ? t : asked, i)) isSomething = true;
      }
      if (isSomething) this.#addNumber(one, at + width - 1, countColumn, i);
    }
  }

  /** Whether there was something to add. */
  #addNumber(one: PartSums, at: number, column: number, row: number): boolean {
    if (this.#mode.bigSums) {
      const value = this.#vector.bigint(column, row);
      one.bigSums[at] = (one.bigSums[at] ?? 0n) + value;
      return value !== 0n;
    }
    const value = this.#vector.number(column, row);
    const sum = (one.sums[at] ?? 0) + value;
    one.sums[at] = sum;
    if (!Number.isSafeInteger(sum) || !Number.isSafeInteger(value)) this.#retry = 'beyond_float64';
    return value !== 0;
  }
}

function nodesByFirst(series: PartSeries): Map<number, RollupNode[]> {
  const byFirst = new Map<number, RollupNode[]>();
  for (const node of series.nodes()) {
    const own = byFirst.get(node.first) ?? [];
    byFirst.set(node.first, own);
    own.push(node);
  }
  for (const own of byFirst.values()) own.sort((a, b) => b.count - a.count);
  return byFirst;
}

/** Whether all profiles of the node are wanted whole and in one class of labels. */
function isWhole(whole: Int32Array, { first, count }: RollupNode): boolean {
  const wanted = whole[first] ?? excluded;
  if (wanted === excluded || first + count > whole.length) return false;
  for (let i = first; i < first + count; i++) if (whole[i] !== wanted) return false;
  return true;
}

function isZero(sums: ArrayLike<bigint | number>, at: number, width: number): boolean {
  for (let i = at; i < at + width; i++) if (Number(sums[i] ?? 0) !== 0) return false;
  return true;
}

/** Where the selected type is in profiles with this header; -1 when they do not have it. */
export function typeIndex(header: Header, { sampleType, periodType }: Selection): number {
  if (!isType(header.periodType, periodType)) return -1;
  return header.sampleTypes.findIndex((type) => isType(type, sampleType));
}

function isType(a: ValueType, b: ValueType): boolean {
  return a.type === b.type && a.unit === b.unit;
}

function hasTwinMappings({ mappings }: Profile): boolean {
  const seen = new Set<string>();
  for (let row = 1; row < mappings.length; row++) {
    const buildId = mappings.buildIdString[row] ?? 0;
    const key = buildId === 0 ? `f${mappings.fileString[row]}` : `b${buildId}`;
    if (seen.has(key)) return true;
    seen.add(key);
  }
  return false;
}

/** Without sums that came to zero; one binary at two addresses becomes one, as pprof's merge does it, unless mappings are to be kept. */
function joined(profile: Profile, keepsMappings: boolean): Profile {
  const result = mergeProfiles([profile], { keepsMappings });
  if (result.ok) return result.profile;
  if (result.error.code === 'overflow') throw new StorageError('sum_overflow', result.error.message);
  throw new Error(`a stored profile cannot be merged: ${result.error.message}`);
}
