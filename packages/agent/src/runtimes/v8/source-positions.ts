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
  let code = 0;
  let position = 0n;
  let found: bigint | undefined;
  while (!reader.isAtEnd) {
    const codeDelta = reader.next();
    const positionDelta = reader.next();
    if (codeDelta === undefined || positionDelta === undefined) break;
    code += Number(codeDelta >> BigInt(flagBits));
    if (code > at) break;
    position = BigInt.asIntN(64, position + ((positionDelta >> 1n) ^ -(positionDelta & 1n)));
    found = position;
  }
  return found === undefined ? undefined : decodeSourcePosition(found);
}

/** Bit fields of SourcePosition (src/codegen/source-position.h): 1 external, 30 offset + 1, 16 inlining + 1. */
export function decodeSourcePosition(value: bigint): SourcePosition {
  const isExternal = (value & 1n) === 1n;
  return {
    offset: isExternal ? -1 : Number((value >> 1n) & 0x3fff_ffffn) - 1,
    inlining: Number((value >> 31n) & 0xffffn) - 1,
  };
}

class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Undefined where the table ends within a number or the number has more than 64 bits. */
  next(): bigint | undefined {
    let value = 0;
    let high = 0n;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return undefined;
      // Most numbers have less than 28 bits and need no bigint.
      if (shift < 28) value += (byte & 0x7f) * 2 ** shift;
      else high |= BigInt(byte & 0x7f) << BigInt(shift);
      if ((byte & 0x80) === 0) {
        return BigInt(value) | high;
      }
    }
    return undefined;
  }
}
