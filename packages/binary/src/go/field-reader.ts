import { type ByteSource, viewExactly } from '../byte-source.ts';

/** What is read at a time of a list that has no length: most lists and names end before. */
const portionBytes = 256;
const longestText = 16 * 1024;
/** Of one list of values; a function of 1 MB has some 100 KB. */
const longestList = 1024 * 1024;

/** Fields of a table in a file. All methods throw BinaryFormatError where the table ends before. */
export class FieldReader {
  readonly source: ByteSource;
  readonly littleEndian: boolean;
  readonly wordBytes: 4 | 8;

  constructor(source: ByteSource, littleEndian: boolean, wordBytes: 4 | 8) {
    this.source = source;
    this.littleEndian = littleEndian;
    this.wordBytes = wordBytes;
  }

  u8(at: number): number {
    return viewExactly(this.source, at, 1).getUint8(0);
  }

  u32(at: number): number {
    return viewExactly(this.source, at, 4).getUint32(0, this.littleEndian);
  }

  i32(at: number): number {
    return viewExactly(this.source, at, 4).getInt32(0, this.littleEndian);
  }

  i16(at: number): number {
    return viewExactly(this.source, at, 2).getInt16(0, this.littleEndian);
  }

  /** A pointer or `uintptr`; above 2^53 it is rounded, which no valid table has. */
  word(at: number): number {
    const view = viewExactly(this.source, at, this.wordBytes);
    if (this.wordBytes === 4) return view.getUint32(0, this.littleEndian);
    const [first, second] = [view.getUint32(0, this.littleEndian), view.getUint32(4, this.littleEndian)];
    return this.littleEndian ? second * 2 ** 32 + first : first * 2 ** 32 + second;
  }

  /** Up to the NUL; what is longer than 16 KiB is cut. */
  text(at: number): string {
    for (let length = portionBytes; ; length = longestText) {
      const bytes = this.source.read(at, length);
      const nul = bytes.indexOf(0);
      if (nul < 0 && bytes.length === length && length < longestText) continue;
      const name = nul < 0 ? bytes : bytes.subarray(0, nul);
      return Buffer.from(name.buffer, name.byteOffset, name.length).toString('utf8');
    }
  }

  /**
   * The value at `target` of a list that says what holds from `start` on: pairs of (difference of the value, zigzag; length in units of `quantum`),
   * ended by a difference of 0 that is not the first (golang.org/s/go12symtab). Undefined where the list ends before or is damaged.
   */
  valueAt(list: number, start: number, target: number, quantum: number): number | undefined {
    let bytes = this.source.read(list, portionBytes);
    let at = 0;
    let done = 0;
    const next = (): number | undefined => {
      let value = 0;
      for (let shift = 0; shift < 35; shift += 7) {
        if (at === bytes.length) {
          done += at;
          at = 0;
          if (done >= longestList) return undefined;
          bytes = this.source.read(list + done, portionBytes);
          if (bytes.length === 0) return undefined;
        }
        const byte = bytes[at++] ?? 0;
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) return value;
      }
      return undefined;
    };
    let value = -1;
    let reached = start;
    for (;;) {
      const difference = next();
      if (difference === undefined || (difference === 0 && reached !== start)) return undefined;
      const length = next();
      if (length === undefined || length === 0) return undefined;
      value += difference % 2 === 1 ? -(difference + 1) / 2 : difference / 2;
      reached += length * quantum;
      if (target < reached) return value;
    }
  }
}
