import { BinaryFormatError } from '../binary-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { longestText, textOf } from './dwarf-reader.ts';

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
