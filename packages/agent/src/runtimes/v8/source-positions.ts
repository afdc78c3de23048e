/** V8's table of source positions (src/codegen/source-position-table.cc): pairs of differences, place in the code and position (zigzag), each in groups of 7 bits, lowest first. */

/** A place in a script, and in which inlined call. */
export interface SourcePosition {
  /** In characters; -1: not known. */
  readonly offset: number;
  /** Index into the inlining positions; -1: the function itself. */
  readonly inlining: number;
}

/** Of a table, in bytes; an optimised function has some thousand. */
export const mostPositionBytes = 1 << 20;

/**
 * The position in force at `at`, bytes from the start of the code; undefined where the table says nothing of it. `flagBits`: lowest bits of each
 * difference of places in the code, which say whether a statement begins.
 */
export function findSourcePosition(table: Uint8Array, flagBits: number, at: number): SourcePosition | undefined {
  const reader = new VarintReader(table);
  const codeUnit = 2 ** flagBits;
  let code = 0;
  let position = 0;
  let isFound = false;
  while (!reader.isAtEnd) {
    const codeDelta = reader.next();
    const positionDelta = reader.next();
    if (Number.isNaN(codeDelta) || Number.isNaN(positionDelta)) break;
    code += Math.floor(codeDelta / codeUnit);
    if (code > at) break;
    const isNegative = positionDelta % 2 === 1;
    position += isNegative ? -(positionDelta + 1) / 2 : positionDelta / 2;
    isFound = true;
  }
  return isFound ? decodeSourcePosition(position) : undefined;
}

/** Bit fields of SourcePosition (src/codegen/source-position.h): 1 external, 30 offset + 1, 16 inlining + 1; no number below 2^53 loses one of them. */
export function decodeSourcePosition(value: number): SourcePosition {
  if (value < 0 || value % 2 === 1) return { offset: -1, inlining: Math.max(-1, fieldOf(value, 31, 16) - 1) };
  return { offset: fieldOf(value, 1, 30) - 1, inlining: fieldOf(value, 31, 16) - 1 };
}

function fieldOf(value: number, shift: number, bits: number): number {
  return Math.floor(value / 2 ** shift) % 2 ** bits;
}

/** What a table of V8 holds has less than 50 bits: numbers, for this runs at every frame of JavaScript. */
class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** NaN where the table ends within a number or the number has more than 53 bits. */
  next(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return NaN;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) return NaN;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }
}
