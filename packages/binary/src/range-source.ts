import type { ByteSource } from './byte-source.ts';

/** A part of another source, as a source: a section of a file, the contribution of one unit in a package of split DWARF. */
export class RangeSource implements ByteSource {
  readonly size: number;
  readonly #source: ByteSource;
  readonly #offset: number;

  /** What of the range lies beyond the source is cut off. */
  constructor(source: ByteSource, offset: number, size: number) {
    this.#source = source;
    this.#offset = offset;
    this.size = Math.max(0, Math.min(size, source.size - offset));
  }

  read(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && offset < this.size)) return new Uint8Array(0);
    return this.#source.read(this.#offset + offset, Math.min(length, this.size - offset));
  }
}
