import { discard, type StackTable as ProfileStacks } from '@everflame/profile';
import { grown, hashPair, larger } from './word-table.ts';

/**
 * Stacks as (caller's stack, location), interned: each row once, a caller before what it calls. Row 0 is the empty stack.
 *
 * A row is found by a hash over its whole path, from the root on, which the index keeps beside the row. So a tree of stacks can be looked
 * up without knowing the number of a caller first (`internTree`), and the processor waits for several look-ups at once. The index is made at the
 * first look-up: a reader pays 8 bytes a row, a writer 16 to 28 more.
 */
export class StackTable {
  /** Words of a row. */
  readonly width = 2;
  length = 1;
  words: Uint32Array<ArrayBuffer> = new Uint32Array(64);
  /** By row: hash of its path. Empty until something is looked up. */
  #hashes = new Uint32Array(0);
  /** Row and hash of each slot, side by side; row 0: free. At most two thirds are taken. */
  #slots = new Uint32Array(0);

  start(row: number): number {
    return row * 2;
  }

  end(row: number): number {
    return row * 2 + 2;
  }

  /** Room for so many rows and no more, for one who knows. */
  reserve(rows: number): void {
    if (rows * 2 > this.words.length) this.words = larger(this.words, rows * 2);
  }

  /** Adds a row without looking for an equal one. Answers its number. */
  append(caller: number, location: number): number {
    const row = this.length++;
    if (row * 2 + 2 > this.words.length) this.words = grown(this.words, row * 2 + 2);
    this.words[row * 2] = caller;
    this.words[row * 2 + 1] = location;
    if (this.#slots.length > 0) this.#index(row);
    return row;
  }

  /** The row, added when it is new. */
  intern(caller: number, location: number): number {
    this.#prepare(1);
    const hash = hashPair(this.#hashes[caller] ?? 0, location);
    const known = this.#find(hash, caller, location);
    return known > 0 ? known : this.append(caller, location);
  }

  /**
   * The row of each stack of another table in which a caller stands before what it calls; 0 of those whose location is 0, which nothing else may stand on. That
   * table may have a stack twice.
   */
  internTree({ length, parent, location }: Pick<ProfileStacks, 'length' | 'parent' | 'location'>): Uint32Array {
    this.#prepare(length);
    const rows = new Uint32Array(length);
    const hashes = new Uint32Array(length);
    const slots = this.#slots;
    const mask = slots.length - 2;
    for (let i = 1; i < length; i++)
      if (location[i] !== 0) hashes[i] = hashPair(hashes[parent[i] ?? 0] ?? 0, location[i] ?? 0);
    for (let i = 1; i < length; i++) {
      if (location[i] === 0) continue;
      const hash = hashes[i] ?? 0;
      let slot = (hash * 2) & mask;
      while (slots[slot] !== 0 && slots[slot + 1] !== hash) slot = (slot + 2) & mask;
      rows[i] = slots[slot] ?? 0;
    }
    const { words } = this;
    for (let i = 1; i < length; i++) {
      const own = location[i] ?? 0;
      if (own === 0) continue;
      const row = rows[i] ?? 0;
      const caller = rows[parent[i] ?? 0] ?? 0;
      if (row > 0 && words[row * 2] === caller && words[row * 2 + 1] === own) continue;
      const known = this.#find(hashes[i] ?? 0, caller, own);
      rows[i] = known > 0 ? known : this.append(caller, own);
    }
    discard(hashes);
    return rows;
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    discard(this.words, this.#hashes, this.#slots);
  }

  /** The row with the hash that is this one; 0 when there is none. */
  #find(hash: number, caller: number, location: number): number {
    const slots = this.#slots;
    const mask = slots.length - 2;
    for (let slot = (hash * 2) & mask; ; slot = (slot + 2) & mask) {
      const row = slots[slot] ?? 0;
      if (row === 0) return 0;
      if (slots[slot + 1] === hash && this.words[row * 2] === caller && this.words[row * 2 + 1] === location)
        return row;
    }
  }

  /** Makes room in the index for so many more rows, so that slots stay where they are until these have come. */
  #prepare(more: number): void {
    const wanted = this.length + more;
    if (wanted * 3 <= this.#slots.length) return;
    let size = 128;
    while (size < wanted * 3) size *= 2;
    discard(this.#slots);
    this.#slots = new Uint32Array(size);
    if (this.#hashes.length < this.words.length / 2) this.#growHashes();
    for (let row = 1; row < this.length; row++) this.#index(row);
  }

  #index(row: number): void {
    const hash = hashPair(this.#hashes[this.words[row * 2] ?? 0] ?? 0, this.words[row * 2 + 1] ?? 0);
    if (row >= this.#hashes.length) this.#growHashes();
    this.#hashes[row] = hash;
    if (this.length * 3 > this.#slots.length) {
      this.#prepare(this.length);
      return;
    }
    const slots = this.#slots;
    const mask = slots.length - 2;
    let slot = (hash * 2) & mask;
    while (slots[slot] !== 0) slot = (slot + 2) & mask;
    slots[slot] = row;
    slots[slot + 1] = hash;
  }

  #growHashes(): void {
    const hashes = grown(this.#hashes, this.words.length / 2);
    discard(this.#hashes);
    this.#hashes = hashes;
  }
}
