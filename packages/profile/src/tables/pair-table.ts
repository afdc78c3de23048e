import { discard } from './discard.ts';
import { doubled } from './growable.ts';
import { hashEnd, hashStart, hashWord } from './hash.ts';

/**
 * Interns pairs of 32-bit numbers: equal pairs get the same row, rows are numbered from 0 in the order of first sight.
 * Open addressing over typed arrays, at most half full: an entry costs 16–32 bytes and no object.
 */
export class PairTable {
  length = 0;
  /** First and second number of each row, side by side: a look-up finds both in one cache line. */
  #pairs: Uint32Array<ArrayBuffer>;
  /** Row + 1 of each slot; 0 is free. Length a power of two. */
  #slots: Uint32Array<ArrayBuffer>;

  constructor(expected = 16) {
    const capacity = Math.max(16, expected);
    this.#pairs = new Uint32Array(capacity * 2);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(capacity * 2)));
  }

  /** The row of the pair, made when there is none. */
  intern(first: number, second: number): number {
    const slot = this.#slotOf(first, second);
    const found = this.#slots[slot] ?? 0;
    if (found !== 0) return found - 1;
    const row = this.length++;
    if (row * 2 === this.#pairs.length) this.#pairs = doubled(this.#pairs);
    this.#pairs[row * 2] = first;
    this.#pairs[row * 2 + 1] = second;
    this.#slots[slot] = row + 1;
    if (this.length * 2 > this.#slots.length) this.#grow();
    return row;
  }

  /** The row of the pair, or undefined. */
  find(first: number, second: number): number | undefined {
    const found = this.#slots[this.#slotOf(first, second)] ?? 0;
    return found === 0 ? undefined : found - 1;
  }

  /** The first number of a row. */
  first(row: number): number {
    return this.#pairs[row * 2] ?? 0;
  }

  /** The second number of a row. */
  second(row: number): number {
    return this.#pairs[row * 2 + 1] ?? 0;
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    discard(this.#pairs, this.#slots);
  }

  /** All first and all second numbers, as copies of exact length. */
  columns(): { readonly first: Uint32Array<ArrayBuffer>; readonly second: Uint32Array<ArrayBuffer> } {
    const first = new Uint32Array(this.length);
    const second = new Uint32Array(this.length);
    for (let row = 0; row < this.length; row++) {
      first[row] = this.first(row);
      second[row] = this.second(row);
    }
    return { first, second };
  }

  #slotOf(first: number, second: number): number {
    const slots = this.#slots;
    const pairs = this.#pairs;
    const mask = slots.length - 1;
    let slot = hashPair(first, second) & mask;
    for (;;) {
      const row = (slots[slot] ?? 0) - 1;
      if (row < 0 || (pairs[row * 2] === first && pairs[row * 2 + 1] === second)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < this.length; row++) {
      let slot = hashPair(this.first(row), this.second(row)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    discard(this.#slots);
    this.#slots = slots;
  }
}

function hashPair(first: number, second: number): number {
  return hashEnd(hashWord(hashWord(hashStart(2), first), second));
}
