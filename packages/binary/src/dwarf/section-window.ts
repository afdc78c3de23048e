import { BinaryFormatError } from '../binary-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { longestText, textOf } from './dwarf-reader.ts';

/** A part of a source as a source: a section of a file, the contribution of one unit in a package of split DWARF. */
export class SectionWindow implements ByteSource {
  readonly size: number;
  readonly #source: ByteSource;
  readonly #start: number;

  /** What of the range lies beyond the source is cut off. */
  constructor(source: ByteSource, start: number, size: number) {
    this.#source = source;
    this.#start = start;
    this.size = Math.max(0, Math.min(size, source.size - start));
  }

  read(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && offset < this.size)) return new Uint8Array(0);
    return this.#source.read(this.#start + offset, Math.min(length, this.size - offset));
  }
}

/** A name is 30 bytes long, seldom more than 200. */
const textGuess = 256;

/** The string at an offset of a string section; longer ones than `longestText` are cut. Throws `BinaryFormatError` beyond the section. */
export function textAt(source: ByteSource, offset: number): string {
  if (!(offset >= 0 && offset < source.size)) throw new BinaryFormatError('truncated', `DWARF: string at ${offset}`);
  let bytes = source.read(offset, textGuess);
  let nul = bytes.indexOf(0);
  if (nul < 0) {
    bytes = source.read(offset, longestText);
    nul = bytes.indexOf(0);
  }
  return textOf(nul < 0 ? bytes : bytes.subarray(0, nul));
}
