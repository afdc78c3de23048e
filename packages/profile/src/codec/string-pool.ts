import { doubled } from '../tables/growable.ts';

/** What was read from one profile: the pool's row of each of its strings. Rows of one generation mean the same string. */
export interface PooledRows {
  readonly generation: object;
  readonly rows: Uint32Array;
}

/** Above so many bytes the pool begins anew with the next profile: about 60 MB with its strings. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Strings of profiles read before, found by their bytes: most names of a profile were in one before, and need neither be decoded
 * nor hashed as strings again. Its rows let a reader of many profiles know a string by its number.
 */
export class StringPool {
  readonly #rows = new WeakMap<readonly string[], PooledRows>();
  #generation: object = {};
  #texts: string[] = [];
  /** Row + 1 and hash of each slot, side by side: what is another string is mostly seen here. */
  #slots = new Uint32Array(2 * 4096);
  /** By row: where its bytes begin, how many they are, in which profile it was met last, and its row there. */
  #facts = new Uint32Array(4 * 1024);
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #profile = 0;

  /** The rows of a profile's `strings`; undefined when they were read by another pool, or in an earlier generation. */
  rowsOf(strings: readonly string[]): PooledRows | undefined {
    const known = this.#rows.get(strings);
    return known?.generation === this.#generation ? known : undefined;
  }

  /** From here on strings are those of a new profile. */
  begin(): void {
    this.#profile++;
    if (this.#length <= maxBytes && this.#profile < 0xffff_ffff) return;
    this.#profile = 1;
    this.#generation = {};
    this.#texts = [];
    this.#slots = new Uint32Array(2 * 4096);
    this.#facts = new Uint32Array(4 * 1024);
    this.#bytes = new Uint8Array(1 << 16);
    this.#view = new DataView(this.#bytes.buffer);
    this.#length = 0;
  }

  /** Ends it: these are its strings, with their rows in the pool. */
  finish(strings: readonly string[], rows: Uint32Array): void {
    this.#rows.set(strings, { generation: this.#generation, rows });
  }

  /** The row of the string with the bytes from `start` to `end`; -1 when there is none yet. `hash` is that of `hashOf`. */
  find(bytes: DataView, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 2;
    for (let slot = (hash * 2) & mask; ; slot = (slot + 2) & mask) {
      const row = (slots[slot] ?? 0) - 1;
      if (row < 0) return -1;
      if (slots[slot + 1] === hash && this.#isEqual(row, bytes, start, end)) return row;
    }
  }

  /** Adds what `find` did not find. */
  add(bytes: Uint8Array, start: number, end: number, hash: number, text: string): number {
    const row = this.#texts.push(text) - 1;
    if (row * 4 === this.#facts.length) this.#facts = doubled(this.#facts);
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#facts[row * 4] = this.#length;
    this.#facts[row * 4 + 1] = end - start;
    this.#length = needed;
    if (this.#texts.length * 4 > this.#slots.length) this.#grow();
    place(this.#slots, row, hash);
    return row;
  }

  text(row: number): string {
    return this.#texts[row] ?? '';
  }

  /** The row that the string has in the profile at hand; -1 when it was not met there before. */
  rowInProfile(row: number): number {
    const at = row * 4;
    return this.#facts[at + 2] === this.#profile ? (this.#facts[at + 3] ?? 0) : -1;
  }

  setRowInProfile(row: number, rowInProfile: number): void {
    this.#facts[row * 4 + 2] = this.#profile;
    this.#facts[row * 4 + 3] = rowInProfile;
  }

  #isEqual(row: number, bytes: DataView, start: number, end: number): boolean {
    let at = this.#facts[row * 4] ?? 0;
    if (this.#facts[row * 4 + 1] !== end - start) return false;
    const view = this.#view;
    let from = start;
    for (; from + 4 <= end; from += 4, at += 4) if (view.getUint32(at) !== bytes.getUint32(from)) return false;
    for (; from < end; from++, at++) if (view.getUint8(at) !== bytes.getUint8(from)) return false;
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const row = (old[at] ?? 0) - 1;
      if (row >= 0) place(this.#slots, row, old[at + 1] ?? 0);
    }
  }
}

function place(slots: Uint32Array, row: number, hash: number): void {
  const mask = slots.length - 2;
  let slot = (hash * 2) & mask;
  while (slots[slot] !== 0) slot = (slot + 2) & mask;
  slots[slot] = row + 1;
  slots[slot + 1] = hash;
}

/** Of bytes, four at a time, by MurmurHash3's rounds (Appleby, public domain); seeded, so that collisions cannot be prepared. */
export function hashOf(bytes: DataView, start: number, end: number): number {
  let hash = seed;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    let k = Math.imul(bytes.getUint32(at, true), 0xcc9e_2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b87_3593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe654_6b64) | 0;
  }
  let rest = 0;
  for (; at < end; at++) rest = (rest << 8) | bytes.getUint8(at);
  hash ^= Math.imul(rest, 0xcc9e_2d51) ^ (end - start);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const seed = (Math.random() * 0x1_0000_0000) >>> 0;
