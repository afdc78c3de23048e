import { doubled } from '../tables/growable.ts';

/** Above so many bytes the pool begins anew with the next profile: about 60 MB with its strings. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Strings of profiles read before, found by their bytes: most names of a profile were in one before, and need neither be decoded
 * nor hashed as strings again. A string's row in `texts` stays what it is, so that a reader of many profiles may know it by its number.
 */
export class StringPool {
  #texts: string[] = [];
  /** Row + 1 and hash of each slot, side by side: what is another string is mostly seen here. */
  #slots = new Uint32Array(2 * 4096);
  /** By row: where its bytes begin, and how many they are. */
  #facts = new Uint32Array(2 * 1024);
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  /** By string of the profile at hand. */
  #found = new Uint32Array(0);
  #hashes = new Uint32Array(0);
  #places = new Uint32Array(0);

  /** All strings, without duplicates; row 0 is `''` once a profile was read. It only grows, and another array takes its place when the pool begins anew. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** From here on strings are those of a new profile. */
  begin(): void {
    if (this.#length > maxBytes) this.clear();
  }

  /** Begins anew: what was read before is no longer known. */
  clear(): void {
    this.#texts = [];
    this.#slots = new Uint32Array(2 * 4096);
    this.#facts = new Uint32Array(2 * 1024);
    this.#bytes = new Uint8Array(1 << 16);
    this.#view = new DataView(this.#bytes.buffer);
    this.#length = 0;
    this.#found = new Uint32Array(0);
    this.#hashes = new Uint32Array(0);
    this.#places = new Uint32Array(0);
  }

  /**
   * The row of each string of a profile, valid until the next call. `bounds`: start and end of each in `bytes`; `decode` makes the text of a
   * string that is new here.
   *
   * A look-up by itself waits for memory three times: for the slot, for where the string lies, for its bytes. So each of these is done for all
   * strings before the next, in loops whose turns do not depend on each other: the processor waits for several at once.
   */
  readAll(bytes: DataView, bounds: Uint32Array, length: number, decode: (index: number) => string): Uint32Array {
    if (this.#found.length < length) {
      this.#found = new Uint32Array(length * 2);
      this.#hashes = new Uint32Array(length * 2);
      this.#places = new Uint32Array(length * 2);
    }
    const found = this.#found;
    const hashes = this.#hashes;
    const places = this.#places;
    const slots = this.#slots;
    const facts = this.#facts;
    for (let i = 0; i < length; i++) hashes[i] = hashOf(bytes, bounds[i * 2] ?? 0, bounds[i * 2 + 1] ?? 0);
    for (let i = 0; i < length; i++) found[i] = firstWith(slots, hashes[i] ?? 0);
    // Row 0 of no string: what is compared then is another string, and unequal.
    for (let i = 0; i < length; i++) places[i] = facts[((found[i] ?? 0) - 1) * 2] ?? 0;
    for (let i = 0; i < length; i++) {
      const start = bounds[i * 2] ?? 0;
      const end = bounds[i * 2 + 1] ?? 0;
      const row = (found[i] ?? 0) - 1;
      if (row >= 0 && facts[row * 2 + 1] === end - start && this.#hasBytes(places[i] ?? 0, bytes, start, end))
        found[i] = row;
      else found[i] = this.#findOrAdd(bytes, start, end, hashes[i] ?? 0, decode, i);
    }
    return found;
  }

  #findOrAdd(
    bytes: DataView,
    start: number,
    end: number,
    hash: number,
    decode: (index: number) => string,
    index: number,
  ): number {
    const slots = this.#slots;
    const mask = slots.length - 2;
    for (let slot = (hash * 2) & mask; ; slot = (slot + 2) & mask) {
      const row = (slots[slot] ?? 0) - 1;
      if (row < 0) break;
      const isAsLong = this.#facts[row * 2 + 1] === end - start;
      if (isAsLong && slots[slot + 1] === hash && this.#hasBytes(this.#facts[row * 2] ?? 0, bytes, start, end))
        return row;
    }
    return this.#add(bytes, start, end, hash, decode(index));
  }

  #add(bytes: DataView, start: number, end: number, hash: number, text: string): number {
    const row = this.#texts.push(text) - 1;
    if (row * 2 === this.#facts.length) this.#facts = doubled(this.#facts);
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#bytes.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start), this.#length);
    this.#facts[row * 2] = this.#length;
    this.#facts[row * 2 + 1] = end - start;
    this.#length = needed;
    if (this.#texts.length * 4 > this.#slots.length) this.#grow();
    place(this.#slots, row, hash);
    return row;
  }

  /** Whether the pool's bytes from `first` on are these. */
  #hasBytes(first: number, bytes: DataView, start: number, end: number): boolean {
    const view = this.#view;
    let at = first;
    let from = start;
    for (; from + 4 <= end; from += 4, at += 4)
      if (view.getInt32(at, true) !== bytes.getInt32(from, true)) return false;
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

/** Row + 1 of the first entry with the hash; 0 when there is none. */
function firstWith(slots: Uint32Array, hash: number): number {
  const mask = slots.length - 2;
  for (let slot = (hash * 2) & mask; ; slot = (slot + 2) & mask) {
    const row = slots[slot] ?? 0;
    if (row === 0 || slots[slot + 1] === hash) return row;
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
function hashOf(bytes: DataView, start: number, end: number): number {
  let hash = seed;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    let k = Math.imul(bytes.getInt32(at, true), 0xcc9e_2d51);
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
