import type { Labels } from '@everflame/profile';
import { ByteReader } from '../bytes.ts';
import { type CountsSpan, GroupCounts } from '../counts/counts-spans.ts';
import type { Dictionary } from '../dictionary.ts';
import { parseLabels } from '../epoch-part.ts';
import { countTypeIndex, type Header, parseHeader } from '../header.ts';
import type { Part, PartSeries, ProfileRow, RollupNode } from '../part.ts';
import type { Vector } from '../vector-scratch.ts';
import { readDictionary } from './block-dictionary.ts';
import { type BlockFileReader, type SectionRef, soundly, takeRef } from './block-file.ts';
import { readBlockVector } from './block-vector.ts';
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

/** The profiles of one service in a block. Its dictionary is read when it is asked for, and kept. */
export class BlockPart implements Part {
  readonly series: readonly PartSeries[];
  readonly refs: GroupRefs;
  readonly #file: BlockFileReader;
  #content: ReturnType<typeof readDictionary> | null = null;
  #counts: (() => GroupCounts) | GroupCounts | null = null;

  constructor(file: BlockFileReader, refs: GroupRefs) {
    this.#file = file;
    this.refs = refs;
    this.series = soundly(file, () => this.#readIndex(new ByteReader(file.section(refs.index))));
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

  #read(): ReturnType<typeof readDictionary> {
    this.#content ??= soundly(this.#file, () =>
      readDictionary(
        new ByteReader(this.#file.section(this.refs.symbols)),
        new ByteReader(this.#file.section(this.refs.stacks)),
      ),
    );
    return this.#content;
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
  #rows: readonly ProfileRow[] = [];
  #chunk = { number: -1, vectors: new ByteReader(new Uint8Array()), next: 0 };

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
    return soundly(this.#file, () => {
      this.#rows = readRows(new ByteReader(this.#file.section(this.#rowsRef)), this.#allHeaders);
      this.#chunk.number = -1;
      return this.#rows;
    });
  }

  /** Of the rows that `rows` gave last; quickest in their order. */
  read(row: number, into: Vector): void {
    soundly(this.#file, () => {
      const number = Math.floor(row / fanOut);
      if (this.#chunk.number !== number || this.#chunk.next > row) {
        const ref = this.#chunks[number];
        if (ref === undefined) throw new RangeError(`there is no profile ${row}`);
        this.#chunk = { number, vectors: new ByteReader(this.#file.section(ref)), next: number * fanOut };
      }
      for (; this.#chunk.next <= row; this.#chunk.next++) {
        readBlockVector(this.#chunk.vectors, columnsOf(this.#rows[this.#chunk.next]), into);
      }
    });
  }

  nodes(): readonly RollupNode[] {
    return this.#nodes;
  }

  readNode(node: RollupNode, into: Vector): void {
    soundly(this.#file, () => {
      const stored = this.#nodes.find((one) => one === node);
      if (stored === undefined) throw new RangeError('this rollup is of another series');
      readBlockVector(new ByteReader(this.#file.section(stored.ref)), columnsOf(this.#rows[node.first]), into);
    });
  }
}

function columnsOf(row: ProfileRow | undefined): number {
  if (row === undefined) throw new RangeError('a profile is missing');
  const types = row.header.sampleTypes;
  return types.length + (countTypeIndex(types) < 0 ? 1 : 0);
}
