import { discard } from '@everflame/profile';
import { CountedSums } from './counted-sums.ts';
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
  readonly sums = new CountedSums();
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
    this.sums.discard();
    discard(this.#leaves, this.#first, this.#asked, this.#count, this.#other);
  }

  /** Zeros for so many leaves. */
  reset(length: number): void {
    this.sums.clear(this.touched());
    // What is there is zeros, of which a longer copy needs nothing.
    if (length > this.sums.counts.length) this.sums.discard();
    this.sums.reserve(length);
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
    const isExact = Number.isSafeInteger(value) && Number.isSafeInteger(count);
    if (!isExact || value < 0 || count < 0 || (value === 0 && count !== 0)) this.isPlain = false;
    const { sums } = this;
    if (value !== 0 || count !== 0) this.#expect(wholeRatio(value, count));
    sums.counts[leaf] = (sums.counts[leaf] ?? 0) + count;
    if (sums.isApart) sums.values[leaf] = (sums.values[leaf] ?? 0) + value;
    this.#marks.add(leaf);
  }

  /** Adds the vector of a block (`block-vector.ts`) that begins at `start`. Answers where it ends. */
  addBlockVector(bytes: Uint8Array, start: number, columns: SumColumns): number {
    this.#begin(bytes, start);
    const rows = this.#rowCount();
    this.#readLeaves(rows);
    if (this.#varint() === 0) this.#skip(rows);
    /** By which column 0 is multiplied; 0: the column is there by itself. */
    let askedBy = 0;
    let countBy = 0;
    for (let column = 0; column < columns.all; column++) {
      const isMultiple = this.#varint() === 1;
      const factor = isMultiple ? this.#zigzag() : column === 0 ? 1 : 0;
      if (!isMultiple) this.#readNumbers(rows, this.#scratch(column, columns));
      if (column === columns.asked) askedBy = factor;
      if (column === columns.count) countBy = factor;
    }
    const perCount = columns.asked === columns.count ? 1 : wholeRatio(askedBy, countBy);
    if (countBy !== 0 && columns.count !== 0)
      this.#multiply(rows, this.#first, countBy, this.#scratch(columns.count, columns));
    if (perCount === 0 && askedBy !== 0 && columns.asked !== 0)
      this.#multiply(rows, this.#first, askedBy, this.#scratch(columns.asked, columns));
    this.#addRows(rows, columns, perCount);
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
    this.#addRows(rows, columns, this.#ratioOf(rows, columns));
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

  #multiply(rows: number, from: Float64Array, factor: number, into: Float64Array): void {
    for (let i = 0; i < rows; i++) into[i] = (from[i] ?? 0) * factor;
  }

  /** How many of the asked value each count of the vector stands for; 0: not the same for all. */
  #ratioOf(rows: number, columns: SumColumns): number {
    if (this.sums.isApart) return 0;
    const asked = this.#scratch(columns.asked, columns);
    const count = this.#scratch(columns.count, columns);
    const ratio = wholeRatio(asked[0] ?? 0, count[0] ?? 0);
    for (let i = 0; i < rows; i++) if ((count[i] ?? 0) * ratio !== (asked[i] ?? 0)) return 0;
    return ratio;
  }

  /** What is added next has so many of the asked value for each count; 0: not the same for all. */
  #expect(perCount: number): void {
    this.sums.expect(perCount, () => this.touched());
  }

  /** `perCount`: as #expect takes it; where it is above 0, the scratch of the asked column may hold anything. */
  #addRows(rows: number, columns: SumColumns, perCount: number): void {
    if (rows === 0) return;
    this.#expect(perCount);
    const count = this.#scratch(columns.count, columns);
    let asked = count;
    if (this.sums.isApart && columns.asked !== columns.count) {
      asked = this.#scratch(columns.asked, columns);
      if (perCount > 0) this.#multiply(rows, count, perCount, asked);
    }
    const leaves = this.#leaves;
    const { counts } = this.sums;
    const { words } = this.#marks;
    let { isPlain } = this;
    for (let i = 0; i < rows; i++) {
      const leaf = leaves[i] ?? 0;
      const times = count[i] ?? 0;
      if (times < 0) isPlain = false;
      counts[leaf] = (counts[leaf] ?? 0) + times;
      words[leaf >>> 5] = (words[leaf >>> 5] ?? 0) | (1 << (leaf & 31));
    }
    if (this.sums.isApart) {
      const { values } = this.sums;
      for (let i = 0; i < rows; i++) {
        const leaf = leaves[i] ?? 0;
        const value = asked[i] ?? 0;
        // What has no value but is counted may be counted by another value, or not at all: `MergeRun` knows.
        if (value < 0 || (value === 0 && count[i] !== 0)) isPlain = false;
        values[leaf] = (values[leaf] ?? 0) + value;
      }
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

/** 0: it is no whole number above 0. */
function wholeRatio(value: number, count: number): number {
  const ratio = value / count;
  return Number.isSafeInteger(ratio) && ratio > 0 && ratio * count === value ? ratio : 0;
}

const noBytes = new Uint8Array();
