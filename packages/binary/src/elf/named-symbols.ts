import { readExactly } from '../byte-source.ts';
import type { SymbolSection } from './symbol-sections.ts';

const chunkEntries = 16_384;

/** A symbol of a 64-bit little-endian file. */
export interface NamedSymbol {
  /** In the table. */
  readonly index: number;
  readonly start: bigint;
  readonly size: bigint;
  /** 0: not defined in this file. */
  readonly sectionIndex: number;
}

/** All strings of a symbol table; valid until the next read of the file. Throws `BinaryFormatError`. */
export function stringsOf({ strings }: SymbolSection): Buffer {
  const text = readExactly(strings, 0, strings.size);
  return Buffer.from(text.buffer, text.byteOffset, text.length);
}

/** Calls `visit` with each symbol whose name is wanted, in the order of the table. `names`: by their offset in the strings. Throws `BinaryFormatError`. */
export function eachNamedSymbol(
  { symbols, count, entrySize }: SymbolSection,
  names: ReadonlyMap<number, string>,
  visit: (name: string, symbol: NamedSymbol) => void,
): void {
  for (let first = 0; first < count; first += chunkEntries) {
    const entries = Math.min(chunkEntries, count - first);
    const bytes = readExactly(symbols, first * entrySize, entries * entrySize);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += entrySize) {
      const name = names.get(view.getUint32(at, true));
      if (name === undefined) continue;
      visit(name, {
        index: first + at / entrySize,
        start: view.getBigUint64(at + 8, true),
        size: view.getBigUint64(at + 16, true),
        sectionIndex: view.getUint16(at + 6, true),
      });
    }
  }
}
