/**
 * Interns sequences of 32-bit words: equal sequences get the same row. Open addressing over two growing typed arrays, so a
 * look-up makes no garbage. Used for stacks, threads and samples of an interval.
 */
export class WordTable {
  #words = new Uint32Array(1024);
  /** Words of row `r` are `#start[r]` to `#start[r + 1]`. */
  #start = new Uint32Array(64);
  #hashes = new Uint32Array(64);
  /** Row + 1, or 0 for a free slot. Always at most half full. */
  #slots = new Uint32Array(128);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Resident bytes. */
  get bytes(): number {
    return 4 * (this.#words.length + this.#start.length + this.#hashes.length + this.#slots.length);
  }

  /** The row of `words[0..count)`. It is new when it equals the `length` from before the call. */
  intern(words: Uint32Array, count: number): number {
    const hash = hashWords(words, count);
    const slot = this.#slotOf(hash, words, count);
    const found = at(this.#slots, slot);
    return found === 0 ? this.#append(slot, hash, words, count) : found - 1;
  }

  /** The row of `words[0..count)`; undefined when it has none. */
  find(words: Uint32Array, count: number): number | undefined {
    const found = at(this.#slots, this.#slotOf(hashWords(words, count), words, count));
    return found === 0 ? undefined : found - 1;
  }

  /** Of the row, or where it would be. */
  #slotOf(hash: number, words: Uint32Array, count: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let found = at(this.#slots, slot); found !== 0; found = at(this.#slots, slot)) {
      if (at(this.#hashes, found - 1) === hash && this.#equals(found - 1, words, count)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** A view of the words of a row; valid until the next `intern`. */
  row(row: number): Uint32Array {
    return this.#words.subarray(at(this.#start, row), at(this.#start, row + 1));
  }

  #equals(row: number, words: Uint32Array, count: number): boolean {
    const start = at(this.#start, row);
    if (at(this.#start, row + 1) - start !== count) return false;
    for (let i = 0; i < count; i++) if (this.#words[start + i] !== words[i]) return false;
    return true;
  }

  #append(slot: number, hash: number, words: Uint32Array, count: number): number {
    const row = this.#length;
    const start = at(this.#start, row);
    if (start + count > this.#words.length) this.#words = grown(this.#words, start + count);
    if (row + 2 > this.#start.length) {
      this.#start = grown(this.#start, row + 2);
      this.#hashes = grown(this.#hashes, row + 2);
    }
    for (let i = 0; i < count; i++) this.#words[start + i] = at(words, i);
    this.#start[row + 1] = start + count;
    this.#hashes[row] = hash;
    this.#slots[slot] = row + 1;
    this.#length = row + 1;
    if (this.#length * 2 > this.#slots.length) this.#rehash();
    return row;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < this.#length; row++) {
      let slot = at(this.#hashes, row) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#slots = slots;
  }
}

/** Reading inside the bounds that this file keeps; a typed array answers undefined only outside of them. */
function at(array: Uint32Array, index: number): number {
  return array[index] ?? 0;
}

function grown(array: Uint32Array, atLeast: number): Uint32Array<ArrayBuffer> {
  let length = array.length;
  while (length < atLeast) length *= 2;
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}

/** MurmurHash3_x86_32 (Austin Appleby, public domain) over whole words, seed 0. */
function hashWords(words: Uint32Array, count: number): number {
  let hash = 0;
  for (let i = 0; i < count; i++) {
    let word = Math.imul(at(words, i), 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= count * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
