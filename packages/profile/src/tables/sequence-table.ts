import { GrowableU32 } from './growable.ts';
import { hashEnd, hashStart, hashWord } from './hash.ts';

/**
 * Interns sequences of 32-bit words: equal sequences get the same row. Row 0 is reserved and never found by content, so
 * that "none" and "all fields zero" stay apart.
 */
export class SequenceTable {
  /** The words of all rows, one after the other. */
  readonly words = new GrowableU32(256);
  /** Row `r` is words `offset[r]` to `offset[r + 1]`. Row 0 is empty. */
  readonly offset = new GrowableU32(64);
  /** The words of the row being looked up: clear, push, then `intern`. */
  readonly scratch = new GrowableU32(64);
  readonly #hashes = new GrowableU32(64);
  #slots = new Uint32Array(128);

  constructor() {
    this.offset.push(0);
    this.offset.push(0);
    this.#hashes.push(0);
  }

  get length(): number {
    return this.offset.length - 1;
  }

  begin(): void {
    this.scratch.length = 0;
  }

  put(word: number): void {
    this.scratch.push(word);
  }

  put64(value: bigint): void {
    this.scratch.push(Number(value & 0xffff_ffffn));
    this.scratch.push(Number((value >> 32n) & 0xffff_ffffn));
  }

  /** The row of what was put since `begin`, made when there is none. */
  intern(): number {
    const hash = this.#hash();
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const row = this.#slots[slot] ?? 0;
      if (row === 0) break;
      if (this.#hashes.at(row) === hash && this.#equals(row)) return row;
      slot = (slot + 1) & mask;
    }
    const row = this.length;
    for (let i = 0; i < this.scratch.length; i++) this.words.push(this.scratch.at(i));
    this.offset.push(this.words.length);
    this.#hashes.push(hash);
    this.#slots[slot] = row;
    if (this.length * 2 > this.#slots.length) this.#grow();
    return row;
  }

  /** Word `index` of `row`. */
  word(row: number, index: number): number {
    return this.words.at(this.offset.at(row) + index);
  }

  #hash(): number {
    const { data, length } = this.scratch;
    let hash = hashStart(length);
    for (let i = 0; i < length; i++) hash = hashWord(hash, data[i] ?? 0);
    return hashEnd(hash);
  }

  #equals(row: number): boolean {
    const start = this.offset.at(row);
    const length = this.offset.at(row + 1) - start;
    if (length !== this.scratch.length) return false;
    const words = this.words.data;
    const wanted = this.scratch.data;
    for (let i = 0; i < length; i++) if (words[start + i] !== wanted[i]) return false;
    return true;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 1; row < this.length; row++) {
      let slot = this.#hashes.at(row) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row;
    }
    this.#slots = slots;
  }
}
