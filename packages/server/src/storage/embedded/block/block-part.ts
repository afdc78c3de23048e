import type { Labels } from '@everflame/profile';
import { firstNotBelow } from '../../../first-not-below.ts';
import { ByteReader } from '../bytes.ts';
import { type CountsSpan, GroupCounts } from '../counts/counts-spans.ts';
import type { Dictionary } from '../dictionary.ts';
import { type Header, parseHeader, vectorColumns } from '../header.ts';
import type { TimeRange } from '../../storage.ts';
import type { Part, PartSeries, ProfileRow, RollupNode } from '../part.ts';
import { parseLabels } from '../sealed-record.ts';
import type { LeafSums, SumColumns } from '../tree/leaf-sums.ts';
import type { Vector } from '../vector-scratch.ts';
import { readDictionary } from './block-dictionary.ts';
import { type BlockFileReader, type SectionRef, soundly, takeRef } from './block-file.ts';
import { readBlockVector } from './block-vector.ts';
import type { KeptDictionaries } from './kept-dictionaries.ts';
import { readRows } from './profile-rows.ts';
import { fanOut } from './rollup.ts';

export interface GroupRefs {
  readonly service: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly symbols: SectionRef;
  readonly stacks: SectionRef;
  readonly index: SectionRef;
}

/** Series, references to sections and times, as objects, take so many times the bytes of the index in which they are written (measured: 9 to 15). */
const heldPerIndexByte = 15;
/** A reader keeps the node of each leaf. */
const heldPerLeaf = 4;

/** The profiles of one service in a block. Its dictionary is read when it is asked for, and kept. */
export class BlockPart implements Part {
  readonly series: readonly PartSeries[];
  readonly refs: GroupRefs;
  readonly #file: BlockFileReader;
  readonly #kept: KeptDictionaries | null;
  #indexBytes = 0;
  #leaves = 0;
  #content: ReturnType<typeof readDictionary> | null = null;
  #counts: (() => GroupCounts) | GroupCounts | null = null;

  /** `kept`: bounds what is unpacked; without it what was read stays until it is released. */
  constructor(file: BlockFileReader, refs: GroupRefs, kept: KeptDictionaries | null) {
    this.#file = file;
    this.#kept = kept;
    this.refs = refs;
    this.series = soundly(file, () => {
      const index = file.section(refs.index);
      this.#indexBytes = index.length;
      return this.#readIndex(new ByteReader(index));
    });
  }

  /** About so much memory is held without the dictionary. */
  get heldBytes(): number {
    return this.#indexBytes * heldPerIndexByte + this.#leaves * heldPerLeaf;
  }

  get dictionary(): Dictionary {
    return this.#read().dictionary;
  }

  get leaves(): Uint32Array {
    return this.#read().leaves;
  }

  #readIndex(input: ByteReader): PartSeries[] {
    const headers: Header[] = [];
    for (let rest = input.varint(); rest > 0; rest--) headers.push(parseHeader(input.text()));
    const series: PartSeries[] = [];
    const count = input.varint();
    for (let number = 0; number < count; number++) {
      series.push(new BlockSeries(this.#file, headers, input, () => this.#countsOf(number)));
    }
    // Blocks fresh from epochs have no counts, and those of older versions end here.
    const ref = input.isAtEnd() ? null : takeRef(input);
    if (ref !== null) this.#counts = () => new GroupCounts(this.#file, ref, count, headers);
    return series;
  }

  #countsOf(series: number): readonly CountsSpan[] | null {
    if (typeof this.#counts === 'function') this.#counts = this.#counts();
    return this.#counts?.days(series) ?? null;
  }

  release(): void {
    this.#content = null;
    this.#kept?.remove(this);
  }

  #read(): ReturnType<typeof readDictionary> {
    if (this.#content !== null) return this.#content;
    const content = soundly(this.#file, () =>
      readDictionary(
        this.#file.version,
        new ByteReader(this.#file.section(this.refs.symbols)),
        new ByteReader(this.#file.section(this.refs.stacks)),
      ),
    );
    this.#content = content;
    this.#leaves = content.leaves.length;
    this.#kept?.add(this, content.dictionary.bytes + content.leaves.byteLength);
    return content;
  }
}

class BlockSeries implements PartSeries {
  readonly name: string;
  readonly labels: Labels;
  readonly headers: PartSeries['headers'];
  readonly firstMs: number;
  readonly lastMs: number;
  readonly endMs: number;
  readonly profiles: number;
  readonly samples: number;
  readonly counts: () => readonly CountsSpan[] | null;
  readonly #file: BlockFileReader;
  readonly #allHeaders: readonly Header[];
  readonly #rowsRef: SectionRef;
  readonly #chunks: readonly SectionRef[];
  readonly #nodes: readonly (RollupNode & { readonly ref: SectionRef })[];
  #chunk = noChunk;
  /** Columns of each profile where their shapes differ, once it was asked for. */
  #columns: Uint32Array | null = null;
  /** Time of each profile, once it was asked for; ascending. */
  #times: Float64Array | null = null;
  #sets: readonly number[] | null = null;
  #byFirst: ReadonlyMap<number, readonly (RollupNode & { readonly ref: SectionRef })[]> | null = null;

  constructor(
    file: BlockFileReader,
    headers: readonly Header[],
    input: ByteReader,
    counts: () => readonly CountsSpan[] | null,
  ) {
    this.counts = counts;
    this.#file = file;
    this.#allHeaders = headers;
    this.name = input.text();
    this.labels = parseLabels(input.text());
    this.firstMs = input.varint();
    this.lastMs = this.firstMs + input.varint();
    this.endMs = this.firstMs + input.varint();
    this.profiles = input.varint();
    this.samples = Number(input.bigint());
    const used = [];
    for (let rest = input.varint(); rest > 0; rest--) {
      const header = headers[input.varint()];
      if (header === undefined) throw new RangeError('a header is missing');
      used.push({ header, firstMs: this.firstMs + input.varint(), lastMs: this.firstMs + input.varint() });
    }
    this.headers = used;
    this.#rowsRef = takeRef(input);
    this.#chunks = Array.from({ length: Math.ceil(this.profiles / fanOut) }, () => takeRef(input));
    this.#nodes = Array.from({ length: input.varint() }, () => ({
      first: input.varint(),
      count: input.varint(),
      ref: takeRef(input),
    }));
  }

  rows(): readonly ProfileRow[] {
    return soundly(this.#file, () => readRows(new ByteReader(this.#file.section(this.#rowsRef)), this.#allHeaders));
  }

  /** Quickest in the order of `rows`. */
  read(row: number, into: Vector): void {
    soundly(this.#file, () => {
      const number = Math.floor(row / fanOut);
      if (this.#chunk.number !== number || this.#chunk.next > row) {
        const ref = this.#chunks[number];
        if (ref === undefined) throw new RangeError(`there is no profile ${row}`);
        this.#chunk = { number, vectors: new ByteReader(this.#file.section(ref)), next: number * fanOut };
      }
      for (; this.#chunk.next <= row; this.#chunk.next++) {
        readBlockVector(this.#chunk.vectors, this.#columnsOf(this.#chunk.next), into);
      }
      if (row === this.profiles - 1) this.#chunk = noChunk;
    });
  }

  hasProfile(header: Header, { fromMs, untilMs }: TimeRange): boolean {
    return soundly(this.#file, () => {
      if (this.headers.length > 1)
        return this.rows().some((row) => row.header === header && row.timeMs >= fromMs && row.timeMs < untilMs);
      const times = this.#allTimes();
      return firstNotBelow(times, fromMs) < firstNotBelow(times, untilMs);
    });
  }

  labelSetsIn({ fromMs, untilMs }: TimeRange): readonly number[] {
    if (this.firstMs < fromMs || this.lastMs >= untilMs) {
      const sets = new Set<number>();
      for (const { timeMs, labelSets } of this.rows())
        if (timeMs >= fromMs && timeMs < untilMs) for (const set of labelSets) sets.add(set);
      return [...sets];
    }
    if (this.#sets === null) {
      const sets = new Set<number>();
      for (const row of this.rows()) for (const set of row.labelSets) sets.add(set);
      this.#sets = [...sets];
    }
    return this.#sets;
  }

  nodes(): readonly RollupNode[] {
    return this.#nodes;
  }

  readNode(node: RollupNode, into: Vector): void {
    soundly(this.#file, () => {
      const stored = this.#nodes.find((one) => one === node);
      if (stored === undefined) throw new RangeError('this rollup is of another series');
      readBlockVector(new ByteReader(this.#file.section(stored.ref)), this.#columnsOf(node.first), into);
    });
  }

  sum({ fromMs, untilMs }: TimeRange, wantedOf: (header: Header) => SumColumns | null, sums: LeafSums): number {
    return soundly(this.#file, () => {
      const [only, ...others] = this.headers;
      if (only === undefined) return 0;
      if (others.length > 0) return this.#sumByHeader({ fromMs, untilMs }, wantedOf, sums);
      const columns = wantedOf(only.header);
      if (columns === null) return 0;
      const isWhole = this.firstMs >= fromMs && this.lastMs < untilMs;
      const times = isWhole ? null : this.#allTimes();
      const first = times === null ? 0 : firstNotBelow(times, fromMs);
      const end = times === null ? this.profiles : firstNotBelow(times, untilMs);
      this.#sumRows(first, end, columns, sums);
      return Math.max(0, end - first);
    });
  }

  /** Columns of the vector of a profile. */
  #columnsOf(row: number): number {
    const [first] = this.headers;
    if (first !== undefined && this.headers.length === 1) return vectorColumns(first.header);
    this.#columns ??= Uint32Array.from(this.rows(), ({ header }) => vectorColumns(header));
    const columns = this.#columns[row];
    if (columns === undefined) throw new RangeError('a profile is missing');
    return columns;
  }

  #allTimes(): Float64Array {
    this.#times ??= Float64Array.from(this.rows(), ({ timeMs }) => timeMs);
    return this.#times;
  }

  /** Neighbours that are wanted are summed together. */
  #sumByHeader(
    { fromMs, untilMs }: TimeRange,
    wantedOf: (header: Header) => SumColumns | null,
    sums: LeafSums,
  ): number {
    const rows = this.rows();
    let count = 0;
    let first = 0;
    const wanted = rows.map(({ timeMs, header }) => (timeMs >= fromMs && timeMs < untilMs ? wantedOf(header) : null));
    for (let row = 1; row <= rows.length; row++) {
      const columns = wanted[first] ?? null;
      if (row < rows.length && isSame(columns, wanted[row] ?? null)) continue;
      if (columns !== null) {
        count += row - first;
        this.#sumRows(first, row, columns, sums);
      }
      first = row;
    }
    return count;
  }

  /** Takes the largest rollups that lie within, and profiles where there is none. */
  #sumRows(first: number, end: number, columns: SumColumns, sums: LeafSums): void {
    this.#byFirst ??= Map.groupBy(
      this.#nodes.toSorted((a, b) => b.count - a.count),
      (node) => node.first,
    );
    let chunk = { number: -1, bytes: noBytes, at: 0, next: 0 };
    for (let row = first; row < end;) {
      const node = this.#byFirst.get(row)?.find(({ count }) => row + count <= end);
      if (node !== undefined) {
        sums.addBlockVector(this.#file.section(node.ref), 0, columns);
        row += node.count;
        continue;
      }
      const number = Math.floor(row / fanOut);
      if (chunk.number !== number) {
        const ref = this.#chunks[number];
        if (ref === undefined) throw new RangeError(`there is no profile ${row}`);
        chunk = { number, bytes: this.#file.section(ref), at: 0, next: number * fanOut };
      }
      for (; chunk.next < row; chunk.next++) {
        chunk.at = sums.skipBlockVector(chunk.bytes, chunk.at, this.#columnsOf(chunk.next));
      }
      chunk.at = sums.addBlockVector(chunk.bytes, chunk.at, columns);
      chunk.next++;
      row++;
    }
  }
}

const noBytes: Uint8Array = new Uint8Array();
const noChunk = { number: -1, vectors: new ByteReader(noBytes), next: 0 };

function isSame(a: SumColumns | null, b: SumColumns | null): boolean {
  return a?.all === b?.all && a?.asked === b?.asked && a?.count === b?.count;
}
