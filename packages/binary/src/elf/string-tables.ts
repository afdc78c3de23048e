import type { ByteSource } from '../byte-source.ts';
import { discard } from '../discard.ts';
import { sortedOrder } from '../sorted-order.ts';

/** Offsets of the second, third, … table are told apart by this: symbols have 32 bits for an offset. */
const tableStride = 2 ** 32;
const longestName = 16 * 1024;
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

  /** The name at a place; valid until the next call, empty where no table has it. */
  nameAt(place: number): Uint8Array {
    const table = this.#tables[Math.floor(place / tableStride)];
    if (table === undefined) return new Uint8Array(0);
    const offset = place % tableStride;
    for (const guess of nameGuesses) {
      const bytes = table.read(offset, guess);
      if (bytes.length < guess || guess === longestName || bytes.includes(0)) return withoutVersion(bytes);
    }
    return new Uint8Array(0);
  }

  /**
   * The names at many places, in their order. They are read in the order of the tables, so that each page is read once: places
   * come in the order of addresses, which is all over a table (that of Node.js has 12 MB).
   */
  namesAt(places: Float64Array): NameBatch {
    const batch = new NameBatch(places.length);
    const order = sortedOrder(places);
    for (const i of order) batch.set(i, this.nameAt(places[i] ?? 0));
    discard(order);
    return batch;
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

  set(index: number, name: Uint8Array): void {
    const end = this.#length + name.length;
    if (end > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      wider.set(this.#bytes.subarray(0, this.#length));
      discard(this.#bytes);
      this.#bytes = wider;
    }
    this.#bytes.set(name, this.#length);
    this.#starts[index] = this.#length;
    this.#ends[index] = end;
    this.#length = end;
  }

  /** Gives its memory back. */
  discard(): void {
    discard(this.#starts, this.#ends, this.#bytes);
  }

  /** A view; empty for what was not set. */
  get(index: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[index] ?? 0, this.#ends[index] ?? 0);
  }
}

function withoutVersion(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  const name = nul < 0 ? bytes : bytes.subarray(0, nul);
  const version = name.indexOf(0x40, 1);
  return version < 0 ? name : name.subarray(0, version);
}
