import type { ByteSource } from '../byte-source.ts';
import { discard } from '../discard.ts';
import { sortedOrder } from '../sorted-order.ts';

/** Offsets of the second, third, … table are told apart by this: symbols have 32 bits for an offset. */
const tableStride = 2 ** 32;
const longestName = 16 * 1024;
/** Of a table, at a time: some hundred names, and small beside a page of the file, so that few reads go over the end of one. */
const windowBytes = 8 * 1024;
/** `@`, which begins a version. */
const versionMark = 0x40;
/** Reads of a name, one after the other until its end is there. */
const nameGuesses = [256, 2048, longestName];

/** A name's place among all string tables of a file: what `StringTables` reads. */
export function placeOfName(table: number, offset: number): number {
  return table * tableStride + offset;
}

/** The string tables of one file; names are without version (`memcpy@@GLIBC_2.14` is `memcpy`). */
export class StringTables {
  readonly #tables: readonly ByteSource[];

  constructor(tables: readonly ByteSource[]) {
    this.#tables = tables;
  }

  /**
   * The names at many places, in their order. They are read in the order of the tables, so that each page is read once: places
   * come in the order of addresses, which is all over a table (that of Node.js has 12 MB).
   */
  namesAt(places: Float64Array): NameBatch {
    const batch = new NameBatch(places.length);
    const order = sortedOrder(places);
    let window: Uint8Array = new Uint8Array(0);
    let windowPlace = 0;
    // No view of a name and no iterator: a program has a hundred thousand of them.
    for (let k = 0; k < order.length; k++) {
      const index = order[k] ?? 0;
      const place = places[index] ?? 0;
      if (place - windowPlace < window.length && batch.take(index, window, place - windowPlace)) continue;
      const table = this.#tables[Math.floor(place / tableStride)];
      window = table?.read(place % tableStride, windowBytes) ?? new Uint8Array(0);
      windowPlace = place;
      if (batch.take(index, window, 0)) continue;
      // Longer than a window, or the table ends in it.
      batch.set(index, this.#nameAt(place));
      window = new Uint8Array(0);
    }
    discard(order);
    return batch;
  }

  /** The name at a place; valid until the next call, empty where no table has it. */
  #nameAt(place: number): Uint8Array {
    const table = this.#tables[Math.floor(place / tableStride)];
    if (table === undefined) return new Uint8Array(0);
    const offset = place % tableStride;
    for (const guess of nameGuesses) {
      const bytes = table.read(offset, guess);
      if (bytes.length < guess || guess === longestName || bytes.includes(0)) return withoutVersion(bytes);
    }
    return new Uint8Array(0);
  }
}

/** Names by index, in one growing buffer. */
export class NameBatch {
  readonly #starts: Uint32Array<ArrayBuffer>;
  readonly #ends: Uint32Array<ArrayBuffer>;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(count: number) {
    this.#starts = new Uint32Array(count);
    this.#ends = new Uint32Array(count);
    this.#bytes = new Uint8Array(Math.max(1024, count * 32));
  }

  /** In bytes; 0 for what was not set. */
  lengthOf(index: number): number {
    return (this.#ends[index] ?? 0) - (this.#starts[index] ?? 0);
  }

  /** A byte of a name; -1 behind its end. */
  byteAt(index: number, at: number): number {
    const place = (this.#starts[index] ?? 0) + at;
    return place < (this.#ends[index] ?? 0) ? (this.#bytes[place] ?? -1) : -1;
  }

  /** Where its bytes lie in `bytes`; valid until the next `set` or `take`. */
  placeOf(index: number): number {
    return this.#starts[index] ?? 0;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Takes the name that begins at `from` and ends with a NUL or its version; false where `bytes` end before. */
  take(index: number, bytes: Uint8Array, from: number): boolean {
    let to = from;
    for (; to < bytes.length; to++) {
      const byte = bytes[to] ?? 0;
      if (byte === 0 || (byte === versionMark && to > from)) break;
    }
    if (to >= bytes.length) return false;
    this.#reserve(index, to - from);
    const mine = this.#bytes;
    let at = this.#starts[index] ?? 0;
    for (let i = from; i < to; i++) mine[at++] = bytes[i] ?? 0;
    return true;
  }

  set(index: number, name: Uint8Array): void {
    this.#reserve(index, name.length);
    this.#bytes.set(name, this.#starts[index]);
  }

  #reserve(index: number, bytes: number): void {
    const end = this.#length + bytes;
    if (end > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      wider.set(this.#bytes.subarray(0, this.#length));
      discard(this.#bytes);
      this.#bytes = wider;
    }
    this.#starts[index] = this.#length;
    this.#ends[index] = end;
    this.#length = end;
  }

  /** Gives its memory back. */
  discard(): void {
    discard(this.#starts, this.#ends, this.#bytes);
  }
}

function withoutVersion(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  const name = nul < 0 ? bytes : bytes.subarray(0, nul);
  const version = name.indexOf(versionMark, 1);
  return version < 0 ? name : name.subarray(0, version);
}
