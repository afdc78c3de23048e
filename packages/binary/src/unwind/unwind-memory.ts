/**
 * Memory of the program that is unwound, read in words of 64 bits, or of 32, whose high half is 0. A word is given as two halves, since a register may hold anything and
 * not every 64-bit value is a number.
 */
export interface UnwindMemory {
  /** Of the word that was loaded last. */
  low: number;
  high: number;
  /** False where the word is not all there. */
  load(address: number, wordBytes: 4 | 8): boolean;
}

/** A copy of a part of a stack: `bytes` began at `base`. */
export class StackMemory implements UnwindMemory {
  low = 0;
  high = 0;
  readonly #view: DataView;
  readonly #base: number;

  constructor(bytes: Uint8Array, base: number) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
  }

  load(address: number, wordBytes: 4 | 8): boolean {
    const at = address - this.#base;
    if (!(at >= 0 && at + wordBytes <= this.#view.byteLength)) return false;
    this.low = this.#view.getUint32(at, true);
    this.high = wordBytes === 8 ? this.#view.getUint32(at + 4, true) : 0;
    return true;
  }
}
