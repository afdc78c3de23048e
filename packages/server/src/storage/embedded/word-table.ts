import { discard } from '@everflame/profile';

/**
 * Interned rows of 32-bit words: the one structure under every dictionary. Rows have a fixed width (`width > 0`) or any
 * length (`width` 0). Row 0 stands for "none"; it is never found by `intern`.
 *
 * Open addressing, linear probing, at most two thirds full; a slot has the row's hash beside its number, so that what is another row is
 * mostly seen there. The index is made at the first `intern`, so a reader that only looks rows up pays for the words alone: 4 × width bytes a
 * row, 12 to 24 more with the index.
 */
export class WordTable {
  readonly width: number;
  length = 0;
  words: Uint32Array<ArrayBuffer>;
  #offsets: Uint32Array<ArrayBuffer>;
  #wordCount = 0;
  /** Row and hash of each slot, side by side; row 0: free. */
  #slots = new Uint32Array(0);

  constructor(width: number) {
    this.width = width;
    this.words = new Uint32Array(Math.max(64, width * 16));
    this.#offsets = new Uint32Array(width === 0 ? 64 : 0);
    this.append(new Uint32Array(width), width);
  }

  /** Where the row's words begin in `words`. */
  start(row: number): number {
    return this.width === 0 ? (this.#offsets[row] ?? 0) : row * this.width;
  }

  end(row: number): number {
    return this.width === 0 ? (this.#offsets[row + 1] ?? 0) : (row + 1) * this.width;
  }

  /** Room for so many rows with so many words together and no more, for one who knows. */
  reserve(rows: number, words: number): void {
    if (words > this.words.length) this.words = larger(this.words, words);
    if (this.width === 0 && rows + 1 > this.#offsets.length) this.#offsets = larger(this.#offsets, rows + 1);
  }

  /** Adds a row without looking for an equal one. Answers its number. */
  append(source: Uint32Array, count: number): number {
    const start = this.#wordCount;
    if (start + count > this.words.length) this.words = grown(this.words, start + count);
    for (let i = 0; i < count; i++) this.words[start + i] = source[i] ?? 0;
    this.#wordCount = start + count;
    const row = this.length++;
    if (this.width === 0) {
      if (row + 2 > this.#offsets.length) this.#offsets = grown(this.#offsets, row + 2);
      this.#offsets[row + 1] = this.#wordCount;
    }
    return row;
  }

  /** The number of the row with the first `count` words of `source`, added when it is new. */
  intern(source: Uint32Array, count: number): number {
    return this.#internHashed(this.#hashOf(source, 0, count), source, 0, count);
  }

  /**
   * `intern` of many rows: row `i` is the words from `offsets[i]` to `offsets[i + 1]` of `source`. Answers their numbers. Each step is done for all rows
   * before the next, so that the processor waits for several of them at once: most of a look-up is waiting for memory.
   */
  internMany(source: Uint32Array, offsets: Uint32Array, count: number): Uint32Array {
    this.#prepare(count);
    const numbers = new Uint32Array(count);
    const hashes = new Uint32Array(count);
    const starts = new Uint32Array(count);
    const slots = this.#slots;
    const mask = slots.length - 2;
    for (let i = 0; i < count; i++) hashes[i] = this.#hashOf(source, offsets[i] ?? 0, offsets[i + 1] ?? 0);
    for (let i = 0; i < count; i++) {
      const hash = hashes[i] ?? 0;
      let slot = (hash * 2) & mask;
      while (slots[slot] !== 0 && slots[slot + 1] !== hash) slot = (slot + 2) & mask;
      numbers[i] = slots[slot] ?? 0;
    }
    for (let i = 0; i < count; i++) starts[i] = this.start(numbers[i] ?? 0);
    for (let i = 0; i < count; i++) {
      const from = offsets[i] ?? 0;
      const length = (offsets[i + 1] ?? 0) - from;
      const row = numbers[i] ?? 0;
      if (row > 0 && this.end(row) - this.start(row) === length && this.#hasWords(starts[i] ?? 0, source, from, length))
        continue;
      numbers[i] = this.#internHashed(hashes[i] ?? 0, source, from, length);
    }
    discard(hashes, starts);
    return numbers;
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    discard(this.words, this.#offsets, this.#slots);
  }

  #hashOf(words: Uint32Array, from: number, end: number): number {
    return this.width === 2 ? hashPair(words[from] ?? 0, words[from + 1] ?? 0) : hashWords(words, from, end);
  }

  #internHashed(hash: number, source: Uint32Array, from: number, count: number): number {
    this.#prepare(1);
    const slots = this.#slots;
    const mask = slots.length - 2;
    let slot = (hash * 2) & mask;
    for (;;) {
      const row = slots[slot] ?? 0;
      if (row === 0) break;
      if (slots[slot + 1] === hash) {
        const start = this.start(row);
        if (this.end(row) - start === count && this.#hasWords(start, source, from, count)) return row;
      }
      slot = (slot + 2) & mask;
    }
    const row = this.append(from === 0 ? source : source.subarray(from, from + count), count);
    slots[slot] = row;
    slots[slot + 1] = hash;
    return row;
  }

  /** Whether the row has the first `count` words of `source`. */
  equals(row: number, source: Uint32Array, count: number): boolean {
    const start = this.start(row);
    if (this.width === 0 && this.end(row) - start !== count) return false;
    return this.#hasWords(start, source, 0, count);
  }

  #hasWords(start: number, source: Uint32Array, from: number, count: number): boolean {
    const { words } = this;
    for (let i = 0; i < count; i++) if (words[start + i] !== source[from + i]) return false;
    return true;
  }

  /** Makes room in the index for so many more rows. */
  #prepare(more: number): void {
    const wanted = this.length + more;
    if (wanted * 3 <= this.#slots.length) return;
    let size = 128;
    while (size < wanted * 3) size *= 2;
    discard(this.#slots);
    const slots = new Uint32Array(size);
    const mask = size - 2;
    for (let row = 1; row < this.length; row++) {
      const start = this.start(row);
      const hash = this.#hashOf(this.words, start, this.end(row));
      let slot = (hash * 2) & mask;
      while (slots[slot] !== 0) slot = (slot + 2) & mask;
      slots[slot] = row;
      slots[slot + 1] = hash;
    }
    this.#slots = slots;
  }
}

/** A copy with twice the room, or as much as is needed. */
export function grown(array: Uint32Array<ArrayBuffer>, atLeast: number): Uint32Array<ArrayBuffer> {
  return larger(array, Math.max(atLeast, array.length * 2));
}

/** A copy with room for so many. */
export function larger(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const result = new Uint32Array(length);
  result.set(array);
  return result;
}

/** MurmurHash3's mixing (Appleby, public domain), 32 bits, seeded once per process so that collisions cannot be prepared. */
export function hashWords(words: Uint32Array, from: number, to: number): number {
  let hash = seed;
  for (let i = from; i < to; i++) {
    let k = Math.imul(words[i] ?? 0, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= to - from;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Of two words; of a path by the hash of its caller, 0 at the root, and its own word. As `hashWords`. */
export function hashPair(first: number, second: number): number {
  let hash = Math.imul(first ^ seed, 0xcc9e2d51);
  hash = (hash << 15) | (hash >>> 17);
  hash = (Math.imul(hash, 0x1b873593) ^ second) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
