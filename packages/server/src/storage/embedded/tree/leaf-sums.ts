import { discard } from '@everflame/profile';
import { Marks } from './marks.ts';

/** Which columns of a stored vector are wanted: the asked sample type and the counts, of so many. */
export interface SumColumns {
  readonly all: number;
  readonly asked: number;
  readonly count: number;
}

/**
 * Sums by the numbers that a part's vectors give to stacks, read straight from the bytes of stored vectors: the inner loop of
 * every question about a tree. Numbers that are not plain (below 0, or beyond what float64 holds) are noticed and left to the
 * way that can sum anything. One object serves one question after the other.
 */
export class LeafSums {
  values = new Float64Array(1024);
  counts = new Float64Array(1024);
  /** False: what is here means nothing. */
  isPlain = true;
  #length = 0;
  readonly #marks = new Marks();
  #leaves = new Uint32Array(1024);
  #first = new Float64Array(1024);
  #asked = new Float64Array(1024);
  #count = new Float64Array(1024);
  #other = new Float64Array(1024);
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    discard(this.values, this.counts, this.#leaves, this.#first, this.#asked, this.#count, this.#other);
  }

  /** Zeros for so many leaves. */
  reset(length: number): void {
    if (length > this.values.length) {
      discard(this.values, this.counts);
      this.values = new Float64Array(length);
      this.counts = new Float64Array(length);
    } else {
      for (const leaf of this.touched()) {
        this.values[leaf] = 0;
        this.counts[leaf] = 0;
      }
    }
    this.#marks.clear();
    this.#marks.reserve(length);
    this.#length = length;
    this.isPlain = true;
  }

  /** The leaves that something was added to, ascending. */
  touched(): Uint32Array {
    return this.#marks.rows();
  }

  add(leaf: number, value: number, count: number): void {
    if (leaf >= this.#length) throw new RangeError(`stack ${leaf} is not in the dictionary`);
    this.values[leaf] = (this.values[leaf] ?? 0) + value;
    this.counts[leaf] = (this.counts[leaf] ?? 0) + count;
    this.#marks.add(leaf);
    const isExact = Number.isSafeInteger(value) && Number.isSafeInteger(count);
    if (!isExact || value < 0 || count < 0 || (value === 0 && count !== 0)) this.isPlain = false;
  }

  /** Adds the vector of a block (`block-vector.ts`) that begins at `start`. Answers where it ends. */
  addBlockVector(bytes: Uint8Array, start: number, columns: SumColumns): number {
    this.#begin(bytes, start);
    const rows = this.#rowCount();
    this.#readLeaves(rows);
    if (this.#varint() === 0) this.#skip(rows);
    for (let column = 0; column < columns.all; column++) {
      const into = this.#scratch(column, columns);
      if (this.#varint() === 0) this.#readNumbers(rows, into);
      else {
        const factor = this.#zigzag();
        const first = this.#first;
        for (let i = 0; i < rows; i++) into[i] = (first[i] ?? 0) * factor;
      }
    }
    this.#addRows(rows, columns);
    return this.#end();
  }

  /** Passes over one with so many columns. */
  skipBlockVector(bytes: Uint8Array, start: number, columns: number): number {
    this.#begin(bytes, start);
    const rows = this.#rowCount();
    this.#skip(rows);
    if (this.#varint() === 0) this.#skip(rows);
    for (let column = 0; column < columns; column++) this.#skip(this.#varint() === 1 ? 1 : rows);
    return this.#end();
  }

  /** Adds the vector of an epoch (`vector.ts`), unpacked. */
  addEpochVector(bytes: Uint8Array, columns: SumColumns): void {
    this.#begin(bytes, 0);
    this.#skip(3);
    const rows = this.#rowCount();
    this.#readLeaves(rows);
    this.#skip(rows);
    for (let column = 0; column < columns.all; column++) this.#readNumbers(rows, this.#scratch(column, columns));
    this.#addRows(rows, columns);
    this.#end();
  }

  #begin(bytes: Uint8Array, start: number): void {
    this.#bytes = bytes;
    this.#at = start;
  }

  #end(): number {
    const at = this.#at;
    const { length } = this.#bytes;
    this.#bytes = noBytes;
    if (at > length) throw new RangeError('past the end of a stored record');
    return at;
  }

  /** Refuses a count that the rest cannot hold at a byte each, before memory is taken for it. */
  #rowCount(): number {
    const rows = this.#varint();
    if (rows > this.#bytes.length - this.#at) throw new RangeError('past the end of a stored record');
    if (rows > this.#leaves.length) {
      discard(this.#leaves, this.#first, this.#asked, this.#count, this.#other);
      this.#leaves = new Uint32Array(rows * 2);
      this.#first = new Float64Array(rows * 2);
      this.#asked = new Float64Array(rows * 2);
      this.#count = new Float64Array(rows * 2);
      this.#other = new Float64Array(rows * 2);
    }
    return rows;
  }

  #scratch(column: number, { asked, count }: SumColumns): Float64Array {
    if (column === 0) return this.#first;
    return column === asked ? this.#asked : column === count ? this.#count : this.#other;
  }

  #addRows(rows: number, columns: SumColumns): void {
    const leaves = this.#leaves;
    const asked = this.#scratch(columns.asked, columns);
    const count = this.#scratch(columns.count, columns);
    const { values, counts } = this;
    const { words } = this.#marks;
    let isPlain = this.isPlain;
    for (let i = 0; i < rows; i++) {
      const leaf = leaves[i] ?? 0;
      const value = asked[i] ?? 0;
      const times = count[i] ?? 0;
      // What has no value but is counted may be counted by another value, or not at all: `MergeRun` knows.
      if (value < 0 || times < 0 || (value === 0 && times !== 0)) isPlain = false;
      values[leaf] = (values[leaf] ?? 0) + value;
      counts[leaf] = (counts[leaf] ?? 0) + times;
      words[leaf >>> 5] = (words[leaf >>> 5] ?? 0) | (1 << (leaf & 31));
    }
    this.isPlain = isPlain;
  }

  #readLeaves(rows: number): void {
    const bytes = this.#bytes;
    const leaves = this.#leaves;
    let at = this.#at;
    let leaf = 0;
    for (let i = 0; i < rows; i++) {
      let byte = bytes[at++] ?? 0;
      if (byte < 0x80) leaf += byte;
      else {
        let value = byte & 0x7f;
        let scale = 128;
        do {
          byte = bytes[at++] ?? 0;
          value += (byte & 0x7f) * scale;
          scale *= 128;
        } while (byte >= 0x80);
        leaf += value;
      }
      leaves[i] = leaf;
    }
    // They ascend: the last one is the greatest.
    if (leaf >= this.#length && rows > 0) throw new RangeError(`stack ${leaf} is not in the dictionary`);
    this.#at = at;
  }

  #readNumbers(rows: number, into: Float64Array): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < rows; i++) {
      let byte = bytes[at++] ?? 0;
      if (byte < 0x80) {
        into[i] = (byte & 1) === 0 ? byte >> 1 : -((byte + 1) >> 1);
        continue;
      }
      let value = byte & 0x7f;
      let scale = 128;
      do {
        byte = bytes[at++] ?? 0;
        value += (byte & 0x7f) * scale;
        scale *= 128;
      } while (byte >= 0x80);
      // Whether it is odd is lost beyond 2^53.
      if (value > Number.MAX_SAFE_INTEGER) this.isPlain = false;
      into[i] = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    this.#at = at;
  }

  #skip(count: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let rest = count; rest > 0; rest--) while ((bytes[at++] ?? 0) >= 0x80);
    this.#at = at;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  #zigzag(): number {
    const value = this.#varint();
    if (value > Number.MAX_SAFE_INTEGER) this.isPlain = false;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

const noBytes = new Uint8Array();
