import { discard, labelsKey } from '@everflame/profile';
import { ByteWriter } from '../bytes.ts';
import { CountsWriter } from '../counts/counts-writer.ts';
import { Dictionary } from '../dictionary.ts';
import { DictionaryCopy } from '../dictionary-copy.ts';
import { compareRows } from '../epoch-part.ts';
import { formatHeader, type Header } from '../header.ts';
import { longer } from '../longer.ts';
import type { Part, PartSeries, ProfileRow } from '../part.ts';
import { decodeTotals } from '../vector.ts';
import { Vector } from '../vector-scratch.ts';
import { writeSymbols } from './block-dictionary.ts';
import { type BlockFileWriter, putRef, type SectionRef } from './block-file.ts';
import { type DepthFirst, depthFirst, writeStacks } from './block-stacks.ts';
import { writeBlockVector } from './block-vector.ts';
import { writeRows } from './profile-rows.ts';
import { fanOut, levels, Rollup } from './rollup.ts';

/** Profiles of one series in one part that go into the new block: rows of `series`, in order. */
export interface Input {
  readonly part: Part;
  readonly series: PartSeries;
  readonly rows: readonly ProfileRow[];
  /** By place in `rows`: the row's number in the series. */
  readonly numbers: readonly number[];
}

export interface WrittenGroup {
  readonly symbols: SectionRef;
  readonly stacks: SectionRef;
  readonly index: SectionRef;
  readonly profiles: number;
  readonly samples: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly endMs: number;
  readonly lastId: number;
}

/** How the numbers of one part become those of the new one. */
interface Translation {
  readonly copy: DictionaryCopy;
  readonly leafOf: Uint32Array;
}

/** Writes the profiles of one service: its dictionary made anew from what they use, its series, their rollups. */
export class GroupWriter {
  readonly #file: BlockFileWriter;
  readonly #dictionary = new Dictionary();
  readonly #out = new ByteWriter();
  readonly #vector = new Vector();
  readonly #sorted = new Vector();
  readonly #translations = new Map<Part, Translation>();
  readonly #headers: Header[] = [];
  readonly #headerNumbers = new Map<string, number>();
  readonly #headerCache = new Map<Header, Header>();
  #counts: CountsWriter | null = null;
  #order = new Uint32Array(1024);
  #keys = new Float64Array(1024);

  constructor(file: BlockFileWriter) {
    this.#file = file;
  }

  /** `keepsCounts`: with counts by function beside the profiles. */
  write(inputs: readonly Input[], keepsCounts: boolean): WrittenGroup {
    const leaves = this.#numberLeaves(inputs);
    if (keepsCounts) this.#counts = new CountsWriter(this.#file, this.#dictionary, leaves);
    const rollups = Array.from({ length: levels }, () => new Rollup(leaves.length));
    const bySeries = Map.groupBy(inputs, ({ series }) => JSON.stringify([series.name, labelsKey(series.labels)]));
    const index = new ByteWriter();
    const facts = { profiles: 0, samples: 0, firstMs: Infinity, lastMs: -Infinity, endMs: -Infinity, lastId: 0 };
    for (const [, group] of [...bySeries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const one = this.#writeSeries(group, rollups, index);
      facts.profiles += one.profiles;
      facts.samples += one.samples;
      facts.firstMs = Math.min(facts.firstMs, one.firstMs);
      facts.lastMs = Math.max(facts.lastMs, one.lastMs);
      facts.endMs = Math.max(facts.endMs, one.endMs);
      facts.lastId = Math.max(facts.lastId, one.lastId);
    }
    const head = new ByteWriter();
    head.varint(this.#headers.length);
    for (const header of this.#headers) head.text(formatHeader(header));
    head.varint(bySeries.size);
    head.raw(index.take());
    if (this.#counts !== null) putRef(head, this.#counts.finish());
    this.#out.length = 0;
    writeSymbols(this.#dictionary, this.#out);
    const symbols = this.#file.section(this.#out.take());
    this.#out.length = 0;
    writeStacks(this.#dictionary.stacks, this.#dictionary.locations.length, leaves, this.#out);
    const stacks = this.#file.section(this.#out.take());
    this.#dictionary.discard();
    for (const { leafOf } of this.#translations.values()) discard(leafOf);
    for (const rollup of rollups) rollup.discard();
    return { ...facts, symbols, stacks, index: this.#file.section(head.take()) };
  }

  /** Takes over the stacks in use. Answers the stack of each leaf, the most frequent first. */
  #numberLeaves(inputs: readonly Input[]): Uint32Array {
    let frequencies = new Float64Array(0);
    for (const [part, own] of Map.groupBy(inputs, (input) => input.part)) {
      const seen = this.#countLeaves(part, own);
      // Of an epoch these columns are as long as the stacks of all services.
      const isUsed = new Uint8Array(part.dictionary.stacks.length);
      for (let leaf = 0; leaf < seen.length; leaf++) if ((seen[leaf] ?? 0) > 0) isUsed[stackOf(part, leaf)] = 1;
      const copy = new DictionaryCopy(part.dictionary, this.#dictionary);
      const stacks = copy.stacks((stack) => isUsed[stack] === 1);
      frequencies = longer(frequencies, this.#dictionary.stacks.length);
      const numbers = new Uint32Array(seen.length);
      for (let leaf = 0; leaf < seen.length; leaf++) {
        const stack = stacks[stackOf(part, leaf)] ?? 0;
        numbers[leaf] = stack;
        frequencies[stack] = (frequencies[stack] ?? 0) + (seen[leaf] ?? 0);
      }
      discard(seen, isUsed, stacks);
      this.#translations.set(part, { copy, leafOf: numbers });
    }
    const order = depthFirst(this.#dictionary.stacks);
    const leaves = byFrequency(frequencies, order);
    const leafOfStack = new Uint32Array(frequencies.length);
    for (let leaf = 0; leaf < leaves.length; leaf++) leafOfStack[leaves[leaf] ?? 0] = leaf;
    for (const { leafOf } of this.#translations.values()) {
      for (let i = 0; i < leafOf.length; i++) leafOf[i] = leafOfStack[leafOf[i] ?? 0] ?? 0;
    }
    discard(frequencies, leafOfStack, order.number, order.order, order.ups);
    return leaves;
  }

  /** How many rows each number in the part's vectors has. */
  #countLeaves(part: Part, inputs: readonly Input[]): Uint32Array {
    const seen = new Uint32Array(part.leaves?.length ?? part.dictionary.stacks.length);
    for (const { series, numbers } of inputs) {
      for (const row of numbers) {
        series.read(row, this.#vector);
        for (let i = 0; i < this.#vector.rows; i++) {
          const stack = this.#vector.stacks[i] ?? 0;
          if (stack >= seen.length) throw new RangeError(`stack ${stack} is not in the dictionary`);
          seen[stack] = (seen[stack] ?? 0) + 1;
        }
      }
    }
    return seen;
  }

  #writeSeries(inputs: readonly Input[], rollups: readonly Rollup[], index: ByteWriter) {
    const items = inputs.flatMap(({ part, series, rows, numbers }) =>
      rows.map((row, i) => ({ part, series, row, number: numbers[i] ?? 0 })),
    );
    items.sort((a, b) => compareRows(a.row, b.row));
    this.#counts?.beginSeries(items.map(({ row }) => row));
    const rows: ProfileRow[] = [];
    const chunks: SectionRef[] = [];
    const nodes: { first: number; count: number; ref: SectionRef }[] = [];
    const chunk = new ByteWriter();
    let samples = 0;
    for (const [i, { part, series, row, number }] of items.entries()) {
      const translation = this.#translations.get(part);
      if (translation === undefined) throw new RangeError('a part has no translation');
      const header = this.#header(row.header);
      series.read(number, this.#vector);
      this.#sortInto(translation.leafOf);
      writeBlockVector(this.#sorted, chunk);
      samples += decodeTotals(row.totals, header.sampleTypes.length).samples;
      rows.push({
        ...row,
        header,
        mainMapping: translation.copy.mapping(row.mainMapping),
        labelSets: row.labelSets.map((set) => translation.copy.labelSet(set)),
      });
      for (const rollup of rollups) rollup.add(this.#sorted, header, i);
      this.#counts?.add(this.#sorted, row, this.#headers.indexOf(header));
      const isLast = i === items.length - 1;
      if (isLast || (i + 1) % fanOut === 0) {
        chunks.push(this.#file.section(chunk.take()));
        chunk.length = 0;
      }
      for (const [level, rollup] of rollups.entries()) {
        const full = fanOut ** (level + 1);
        if (rollup.count < full && !isLast) continue;
        const { first, count } = rollup;
        const isExact = rollup.take(this.#vector);
        // One that sums no more than a rollup below it, or a profile, says nothing new.
        if (!isExact || count <= (level === 0 ? 1 : fanOut ** level)) continue;
        this.#out.length = 0;
        writeBlockVector(this.#vector, this.#out);
        nodes.push({ first, count, ref: this.#file.section(this.#out.take()) });
      }
    }
    this.#counts?.endSeries();
    return this.#writeIndex(inputs, rows, { samples, chunks, nodes }, index);
  }

  #writeIndex(
    inputs: readonly Input[],
    rows: readonly ProfileRow[],
    {
      samples,
      chunks,
      nodes,
    }: {
      samples: number;
      chunks: readonly SectionRef[];
      nodes: readonly { first: number; count: number; ref: SectionRef }[];
    },
    index: ByteWriter,
  ) {
    const series = inputs[0]?.series;
    const firstMs = rows[0]?.timeMs ?? 0;
    const lastMs = rows.at(-1)?.timeMs ?? 0;
    let endMs = 0;
    let lastId = 0;
    for (const { timeMs, durationNanos, id } of rows) {
      endMs = Math.max(endMs, timeMs + Math.max(0, Number(durationNanos / 1_000_000n)));
      lastId = Math.max(lastId, id);
    }
    index.text(series?.name ?? '');
    index.text(JSON.stringify(series?.labels ?? {}));
    index.varint(firstMs);
    index.varint(lastMs - firstMs);
    index.varint(endMs - firstMs);
    index.varint(rows.length);
    index.bigint(BigInt(samples));
    const used = Map.groupBy(rows, ({ header }) => this.#headers.indexOf(header));
    index.varint(used.size);
    for (const [number, own] of used) {
      index.varint(number);
      index.varint((own[0]?.timeMs ?? 0) - firstMs);
      index.varint((own.at(-1)?.timeMs ?? 0) - firstMs);
    }
    this.#out.length = 0;
    writeRows(rows, this.#headers, this.#out);
    putRef(index, this.#file.section(this.#out.take()));
    for (const ref of chunks) putRef(index, ref);
    index.varint(nodes.length);
    for (const { first, count, ref } of nodes) {
      index.varint(first);
      index.varint(count);
      putRef(index, ref);
    }
    return { profiles: rows.length, samples, firstMs, lastMs, endMs, lastId };
  }

  /** One object for equal headers. */
  #header(header: Header): Header {
    const cached = this.#headerCache.get(header);
    if (cached !== undefined) return cached;
    const text = formatHeader(header);
    let number = this.#headerNumbers.get(text);
    if (number === undefined) {
      number = this.#headers.push(header) - 1;
      this.#headerNumbers.set(text, number);
    }
    const own = this.#headers[number] ?? header;
    this.#headerCache.set(header, own);
    return own;
  }

  /** The vector at hand in the new numbers, in order of (leaf, label set). */
  #sortInto(leafOf: Uint32Array): void {
    const { rows, columns, stacks, sets, words, capacity } = this.#vector;
    const sorted = this.#sorted;
    sorted.reset(rows, columns);
    if (rows > this.#order.length) {
      this.#order = new Uint32Array(rows * 2);
      this.#keys = new Float64Array(rows * 2);
    }
    const order = this.#order.subarray(0, rows);
    for (let i = 0; i < rows; i++) order[i] = i;
    const leaf = (i: number) => leafOf[stacks[i] ?? 0] ?? 0;
    let greatestSet = 0;
    for (let i = 0; i < rows; i++) greatestSet = Math.max(greatestSet, sets[i] ?? 0);
    if ((leafOf.length + 1) * (greatestSet + 1) * rows < Number.MAX_SAFE_INTEGER) {
      // The native sort of numbers is several times as fast as one with a comparison in JavaScript.
      const keys = this.#keys.subarray(0, rows);
      for (let i = 0; i < rows; i++) keys[i] = (leaf(i) * (greatestSet + 1) + (sets[i] ?? 0)) * rows + i;
      keys.sort();
      for (let i = 0; i < rows; i++) order[i] = (keys[i] ?? 0) % rows;
    } else order.sort((a, b) => leaf(a) - leaf(b) || (sets[a] ?? 0) - (sets[b] ?? 0) || a - b);
    for (let i = 0; i < rows; i++) {
      const from = order[i] ?? 0;
      sorted.stacks[i] = leaf(from);
      sorted.sets[i] = sets[from] ?? 0;
      for (let column = 0; column < columns; column++) {
        const at = (column * capacity + from) * 2;
        sorted.put(column, i, words[at] ?? 0, words[at + 1] ?? 0);
      }
    }
  }
}

/** The stacks that have rows, the most frequent first; of equally frequent ones those that stand first in depth-first order. */
function byFrequency(frequencies: Float64Array, { number, order }: DepthFirst): Uint32Array {
  // Numbers sort several times as fast as with a comparison in JavaScript: frequency, then place, in one; below 2^53.
  const size = 2 ** Math.ceil(Math.log2(frequencies.length + 1));
  const most = Math.floor(Number.MAX_SAFE_INTEGER / size) - 1;
  const keys = new Float64Array(frequencies.length);
  let count = 0;
  for (let stack = 0; stack < frequencies.length; stack++) {
    const frequency = Math.min(frequencies[stack] ?? 0, most);
    if (frequency > 0) keys[count++] = (most - frequency) * size + (number[stack] ?? 0);
  }
  return Uint32Array.from(keys.subarray(0, count).sort(), (key) => order[key % size] ?? 0);
}

function stackOf({ leaves }: Part, leaf: number): number {
  return leaves === null ? leaf : (leaves[leaf] ?? 0);
}
