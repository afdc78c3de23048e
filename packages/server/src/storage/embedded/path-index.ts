import { discard, type PathTable } from '@everflame/profile';
import type { StackTable } from './stack-table.ts';
import { hashWords, larger } from './word-table.ts';

/** Words of locations that are remembered: 16 MB. What does not fit is looked up frame by frame each time. */
const defaultMaxWords = 4 * 1024 * 1024;

/**
 * The stacks that samples ended in, each found by all of its locations at once: one look-up for a stack that was met before, in place of one for each of its
 * frames. Memory: 4 bytes for a frame and 16 to 32 for a stack.
 */
export class PathIndex {
  readonly #stacks: StackTable;
  readonly #maxWords: number;
  /** Path and hash of each slot, side by side; path 0: free. At most two thirds are taken. */
  #slots = new Uint32Array(256);
  /** By path: where its locations begin, and its row in the table of stacks. The next one's begin ends it. */
  #facts = new Uint32Array(128);
  /** Locations of all paths, leaf first. */
  #words = new Uint32Array(1024);
  #length = 1;

  constructor(stacks: StackTable, maxWords = defaultMaxWords) {
    this.#stacks = stacks;
    this.#maxWords = maxWords;
  }

  /**
   * The row in the table of stacks of each path, added when it is new. `locationOf`: the location here of each location there. Each step is done for all
   * paths before the next, so that the processor waits for several of them at once (see `WordTable.internMany`).
   */
  internMany({ offset, location }: PathTable, locationOf: Uint32Array): Uint32Array {
    const count = offset.length - 1;
    const words = new Uint32Array(location.length);
    for (let i = 0; i < location.length; i++) words[i] = locationOf[location[i] ?? 0] ?? 0;
    const hashes = new Uint32Array(count);
    const rows = new Uint32Array(count);
    const unknown: number[] = [];
    for (let i = 0; i < count; i++) hashes[i] = hashWords(words, offset[i] ?? 0, offset[i + 1] ?? 0);
    for (let i = 0; i < count; i++) rows[i] = this.#firstWith(hashes[i] ?? 0);
    for (let i = 0; i < count; i++) {
      const from = offset[i] ?? 0;
      const end = offset[i + 1] ?? 0;
      const path = rows[i] ?? 0;
      if (from === end) rows[i] = 0;
      else if (path > 0 && this.#isPath(path, words, from, end)) rows[i] = this.#facts[path * 2 + 1] ?? 0;
      else unknown.push(i);
    }
    if (unknown.length > 0) this.#addAll(unknown, { offset, location: words }, hashes, rows);
    discard(words, hashes);
    return rows;
  }

  /** Looks paths up frame by frame and remembers them. `location` has the locations here. */
  #addAll(unknown: readonly number[], { offset, location }: PathTable, hashes: Uint32Array, rows: Uint32Array): void {
    let length = 1;
    for (const i of unknown) length += (offset[i + 1] ?? 0) - (offset[i] ?? 0);
    const chains = { length, parent: new Uint32Array(length), location: new Uint32Array(length) };
    let row = 1;
    for (const i of unknown) {
      const root = row;
      for (let at = (offset[i + 1] ?? 0) - 1; at >= (offset[i] ?? 0); at--, row++) {
        chains.parent[row] = row === root ? 0 : row - 1;
        chains.location[row] = location[at] ?? 0;
      }
    }
    const stacks = this.#stacks.internTree(chains);
    let leaf = 0;
    for (const i of unknown) {
      leaf += (offset[i + 1] ?? 0) - (offset[i] ?? 0);
      rows[i] = stacks[leaf] ?? 0;
      this.#remember(location.subarray(offset[i] ?? 0, offset[i + 1] ?? 0), hashes[i] ?? 0, rows[i] ?? 0);
    }
    discard(chains.parent, chains.location, stacks);
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    discard(this.#slots, this.#facts, this.#words);
  }

  #firstWith(hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 2;
    let slot = (hash * 2) & mask;
    while (slots[slot] !== 0 && slots[slot + 1] !== hash) slot = (slot + 2) & mask;
    return slots[slot] ?? 0;
  }

  #isPath(path: number, words: Uint32Array, from: number, end: number): boolean {
    const start = this.#facts[path * 2] ?? 0;
    if ((this.#facts[path * 2 + 2] ?? 0) - start !== end - from) return false;
    const known = this.#words;
    for (let i = from, at = start; i < end; i++, at++) if (known[at] !== words[i]) return false;
    return true;
  }

  #remember(path: Uint32Array, hash: number, stack: number): void {
    // The same path may come twice in one profile, and another one may have its hash: neither is worth a second entry.
    if (this.#firstWith(hash) > 0) return;
    const start = this.#facts[this.#length * 2] ?? 0;
    const end = start + path.length;
    if (end > this.#maxWords) return;
    if (end > this.#words.length) this.#words = larger(this.#words, Math.max(end, this.#words.length * 2));
    this.#words.set(path, start);
    const number = this.#length++;
    if (number * 2 + 3 > this.#facts.length) this.#facts = larger(this.#facts, this.#facts.length * 2);
    this.#facts[number * 2 + 1] = stack;
    this.#facts[number * 2 + 2] = end;
    if (this.#length * 3 > this.#slots.length) this.#grow();
    this.#place(number, hash);
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let slot = 0; slot < old.length; slot += 2)
      if (old[slot] !== 0) this.#place(old[slot] ?? 0, old[slot + 1] ?? 0);
    discard(old);
  }

  #place(path: number, hash: number): void {
    const slots = this.#slots;
    const mask = slots.length - 2;
    let slot = (hash * 2) & mask;
    while (slots[slot] !== 0) slot = (slot + 2) & mask;
    slots[slot] = path;
    slots[slot + 1] = hash;
  }
}
