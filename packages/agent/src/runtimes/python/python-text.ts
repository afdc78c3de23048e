import type { ProcessMemory } from '../process-memory.ts';

/** Of a name or a path, in characters; what is longer is cut. */
const mostCharacters = 4096;

export type PythonMemory = Pick<ProcessMemory, 'word' | 'bytes'>;

/** Where a str keeps its characters (Include/cpython/unicodeobject.h), in bytes. */
export interface PythonTextLayout {
  readonly length: number;
  readonly state: number;
  /** Of the object in front of ASCII characters (PyASCIIObject) and of others (PyCompactUnicodeObject). */
  readonly ascii: number;
  readonly compact: number;
}

/** Bits of `state`, from 3.3 to 3.13: interned 2, kind 3, compact 1, ascii 1. */
const kindShift = 2;
const compactBit = 1 << 5;
const asciiBit = 1 << 6;

/** The text of a str whose characters lie in the object, as all that the compiler makes do; undefined where it is none or cannot be read. */
export function readPythonText(memory: PythonMemory, layout: PythonTextLayout, address: number): string | undefined {
  const head = memory.bytes(address, layout.ascii);
  if (head === undefined) return undefined;
  const high = head.readInt32LE(layout.length + 4);
  const length = head.readUInt32LE(layout.length);
  const state = head.readUInt32LE(layout.state);
  const width = (state >>> kindShift) & 7;
  if (high !== 0 || (state & compactBit) === 0 || (width !== 1 && width !== 2 && width !== 4)) return undefined;
  const isAscii = (state & asciiBit) !== 0;
  if (isAscii && width !== 1) return undefined;
  const count = Math.min(length, mostCharacters);
  const bytes = memory.bytes(address + (isAscii ? layout.ascii : layout.compact), count * width);
  if (bytes === undefined) return undefined;
  const text = decode(bytes, width);
  return count < length ? `${text}…` : text;
}

/** Is it the str with just these ASCII characters? */
export function isPythonText(memory: PythonMemory, layout: PythonTextLayout, address: number, text: string): boolean {
  if (memory.word(address + layout.length) !== text.length) return false;
  return readPythonText(memory, layout, address) === text;
}

function decode(bytes: Buffer, width: 1 | 2 | 4): string {
  if (width === 1) return bytes.toString('latin1');
  // Lone surrogates, as names of files may have, are no text that could be written anywhere.
  if (width === 2) return bytes.toString('utf16le').toWellFormed();
  const points: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const point = bytes.readUInt32LE(at);
    points.push(point > 0x10_ffff ? '\uFFFD' : String.fromCodePoint(point));
  }
  return points.join('').toWellFormed();
}
