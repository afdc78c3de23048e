import type { GrowableU32 } from '../tables/growable.ts';
import type { WireReader } from '../wire/wire-reader.ts';
import type { StringPool } from './string-pool.ts';

/** Reads the string table and resolves indexes into it. */
export class StringReader {
  /** Without duplicates; `rows[0]` is `''`. With a pool those of the pool. */
  rows: readonly string[] = [];
  readonly #reader: WireReader;
  // A byte order mark is a character like any other here.
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** From the file's index to a row: files may hold a string twice. */
  #rowOfIndex: Uint32Array = new Uint32Array(0);

  readonly #pool: StringPool | undefined;

  /** `pool`: where strings of other profiles are, too. */
  constructor(reader: WireReader, pool: StringPool | undefined) {
    this.#reader = reader;
    this.#pool = pool;
  }

  /** `bounds`: start and end of each string in the input. */
  read(bounds: GrowableU32): void {
    const { bytes } = this.#reader;
    const length = bounds.length / 2;
    if (length === 0) this.#reader.fail('string_table', "it is missing; its first entry must be ''");
    if (this.#pool !== undefined) {
      this.#readPooled(bounds, this.#pool);
      return;
    }
    this.#rowOfIndex = new Uint32Array(length);
    const rows: string[] = [];
    const rowOfText = new Map<string, number>();
    for (let i = 0; i < length; i++) {
      const start = bounds.at(i * 2);
      const end = bounds.at(i * 2 + 1);
      const text = asciiText(bytes, start, end) ?? this.#utf8(start, end, i);
      if (i === 0 && text !== '') this.#reader.fail('string_table', "its first entry must be ''");
      let row = rowOfText.get(text);
      if (row === undefined) {
        row = rows.length;
        rows.push(text);
        rowOfText.set(text, row);
      }
      this.#rowOfIndex[i] = row;
    }
    this.rows = rows;
  }

  #readPooled(bounds: GrowableU32, pool: StringPool): void {
    const { bytes } = this.#reader;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = bounds.length / 2;
    if (bounds.at(0) !== bounds.at(1)) this.#reader.fail('string_table', "its first entry must be ''");
    pool.begin();
    const rows = pool.readAll(view, bounds.data, length, (index) => {
      const [start, end] = [bounds.at(index * 2), bounds.at(index * 2 + 1)];
      return asciiText(bytes, start, end) ?? this.#utf8(start, end, index);
    });
    this.#rowOfIndex = rows.subarray(0, length);
    this.rows = pool.texts;
  }

  /** The row of a file's index, given as the halves of an int64. Fails at the reader's current field. */
  row(low: number, high: number): number {
    if (high !== 0 || low >= this.#rowOfIndex.length) {
      const index = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
      this.#reader.fail('index_out_of_range', `string ${index} is not one of the ${this.#rowOfIndex.length} strings`);
    }
    return this.#rowOfIndex[low] ?? 0;
  }

  text(low: number, high: number): string {
    return this.rows[this.row(low, high)] ?? '';
  }

  #utf8(start: number, end: number, index: number): string {
    try {
      return this.#decoder.decode(this.#reader.bytes.subarray(start, end));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.#reader.position = start;
      return this.#reader.fail('invalid_utf8', `entry ${index} is not valid UTF-8`);
    }
  }
}

/** TextDecoder costs a fixed ~150 ns a call; most names are short and ASCII, for which this is cheaper. */
const SHORT = 24;

function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > SHORT) return undefined;
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
