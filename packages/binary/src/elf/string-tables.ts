import type { ByteSource } from '../byte-source.ts';

/**
 * What may be read at once and is let go after use: names are asked for in the order of addresses, all over the table. That of Node.js has
 * 12 MB; a table that does not fit is read by pages, more slowly.
 */
const mostWholeBytes = 48 * 1024 * 1024;
/** One read of a name where the table is not in memory; longer names are read again. */
const nameGuess = 256;
const longestName = 16 * 1024;

/** Names of symbols by their absolute offset in the file, without version (`memcpy@@GLIBC_2.14` is `memcpy`). */
export class StringTables {
  readonly #source: ByteSource;
  readonly #tables: { readonly from: number; readonly to: number; bytes: Uint8Array | undefined }[] = [];

  #wholeBytesLeft = mostWholeBytes;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Makes the table at `[from, to)` known; ranges are within the file. */
  declare(from: number, to: number): void {
    this.#tables.push({ from, to, bytes: undefined });
  }

  /** Valid until the next call; empty where no declared table holds the offset. */
  nameAt(offset: number): Uint8Array {
    const table = this.#tables.find(({ from, to }) => offset >= from && offset < to);
    if (table === undefined) return new Uint8Array(0);
    const limit = table.to - offset;
    if (table.bytes === undefined && table.to - table.from <= this.#wholeBytesLeft) {
      table.bytes = this.#source.read(table.from, table.to - table.from).slice();
      this.#wholeBytesLeft -= table.to - table.from;
    }
    if (table.bytes !== undefined) {
      const at = offset - table.from;
      return withoutVersion(table.bytes.subarray(at, at + Math.min(limit, longestName)));
    }
    const bytes = this.#source.read(offset, Math.min(nameGuess, limit));
    if (limit <= nameGuess || bytes.includes(0)) return withoutVersion(bytes);
    return withoutVersion(this.#source.read(offset, Math.min(longestName, limit)));
  }
}

function withoutVersion(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  const name = nul < 0 ? bytes : bytes.subarray(0, nul);
  const version = name.indexOf(0x40, 1);
  return version < 0 ? name : name.subarray(0, version);
}
