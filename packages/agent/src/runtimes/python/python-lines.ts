/** How a code object says which instruction is at which line, by the version that began with it. */
export type PythonLineFormat =
  /** Up to 3.9 (Objects/lnotab_notes.txt): pairs of bytes, of the instructions in between and, signed, of the lines. */
  | 'lnotab'
  /** 3.10 (PEP 626): pairs of the length of a range and, signed, the lines from the range before; -128: without a line. */
  | 'ranges'
  /** From 3.11 on (PEP 657, Objects/locations.md): entries of several kinds, with columns. */
  | 'locations';

/** Kinds of entries of a location table. */
const oneLine = 10;
const noColumns = 13;
const long = 14;
const noLocation = 15;
/** A chunk of a number has 6 bits; a number of a line has no more. */
const mostChunks = 6;

/**
 * The line of the instruction at `offset` (bytes), by a table that may hold anything: from 1 on, or 0 where the table does not tell. Instructions that
 * the compiler has put in without a line belong to the one in front of them.
 */
export function pythonLine(format: PythonLineFormat, table: Uint8Array, firstLine: number, offset: number): number {
  const line =
    format === 'locations' ? lineOfLocation(table, firstLine, offset) : lineOfPair(format, table, firstLine, offset);
  return line > 0 && line < 2 ** 31 ? line : 0;
}

function lineOfPair(format: 'lnotab' | 'ranges', table: Uint8Array, firstLine: number, offset: number): number {
  let line = firstLine;
  let at = 0;
  for (let i = 0; i + 1 < table.length; i += 2) {
    const step = signed(table[i + 1] ?? 0);
    // A pair of lnotab says what follows it, one of ranges what it covers itself.
    if (format === 'ranges' && step !== -128) line += step;
    at += table[i] ?? 0;
    if (at > offset) return line;
    if (format === 'lnotab') line += step;
  }
  return format === 'lnotab' ? line : 0;
}

function lineOfLocation(table: Uint8Array, firstLine: number, offset: number): number {
  let line = firstLine;
  let end = 0;
  for (let at = 0; at < table.length;) {
    const head = table[at++] ?? 0;
    // An entry begins with a byte that has the highest bit, and no other byte of it has.
    if ((head & 0x80) === 0) continue;
    const kind = (head >> 3) & 15;
    if (kind === noColumns || kind === long) {
      let value = 0;
      for (let chunk = 0; chunk < mostChunks; chunk++) {
        const byte = table[at++] ?? 0;
        value += (byte & 63) * 64 ** chunk;
        if ((byte & 64) === 0) break;
      }
      line += value % 2 === 0 ? value / 2 : -(value - 1) / 2;
    } else if (kind >= oneLine && kind !== noLocation) {
      line += kind - oneLine;
    }
    end += 2 * ((head & 7) + 1);
    if (end > offset) return line;
  }
  return 0;
}

function signed(byte: number): number {
  return byte >= 128 ? byte - 256 : byte;
}
