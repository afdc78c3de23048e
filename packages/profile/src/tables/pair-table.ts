import { doubled } from './growable.ts';
import { hashEnd, hashStart, hashWord } from './hash.ts';

/**
 * Interns pairs of 32-bit numbers: equal pairs get the same row, rows are numbered from 0 in the order of first sight.
 * Open addressing over typed arrays, at most half full: an entry costs 16–32 bytes and no object.
 */
export class PairTable {
  length = 0;
  /** First and second number of each row; longer than `length`. */
  first: Uint32Array<ArrayBuffer>;
  second: Uint32Array<ArrayBuffer>;
  /** Row + 1 of each slot; 0 is free. Length a power of two. */
  #slots: Uint32Array<ArrayBuffer>;

  constructor(expected = 16) {
    const capacity = Math.max(16, expected);
    this.first = new Uint32Array(capacity);
    this.second = new Uint32Array(capacity);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(capacity * 2)));
  }

  /** The row of the pair, made when there is none. */
  intern(first: number, second: number): number {
    const slot = this.#slotOf(first, second);
    const found = this.#slots[slot] ?? 0;
    if (found !== 0) return found - 1;
    const row = this.length++;
    if (row === this.first.length) {
      this.first = doubled(this.first);
      this.second = doubled(this.second);
    }
    this.first[row] = first;
    this.second[row] = second;
    this.#slots[slot] = row + 1;
    if (this.length * 2 > this.#slots.length) this.#grow();
    return row;
  }

  /** The row of the pair, or undefined. */
  find(first: number, second: number): number | undefined {
    const found = this.#slots[this.#slotOf(first, second)] ?? 0;
    return found === 0 ? undefined : found - 1;
  }

  #slotOf(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashPair(first, second) & mask;
    for (;;) {
      const row = (this.#slots[slot] ?? 0) - 1;
      if (row < 0 || (this.first[row] === first && this.second[row] === second)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < this.length; row++) {
      let slot = hashPair(this.first[row] ?? 0, this.second[row] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#slots = slots;
  }
}

function hashPair(first: number, second: number): number {
  return hashEnd(hashWord(hashWord(hashStart(2), first), second));
}
