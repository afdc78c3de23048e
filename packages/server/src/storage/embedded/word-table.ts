/**
 * Interned rows of 32-bit words: the one structure under every dictionary. Rows have a fixed width (`width > 0`) or any
 * length (`width` 0). Row 0 stands for "none"; it is never found by `intern`.
 *
 * Open addressing, linear probing, at most half full. The index is made at the first `intern`, so a reader that only looks
 * rows up pays for the words alone: 4 × width bytes a row, 8 to 16 more with the index.
 */
export class WordTable {
  readonly width: number;
  length = 0;
  words: Uint32Array<ArrayBuffer>;
  #offsets: Uint32Array<ArrayBuffer>;
  #wordCount = 0;
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
    if ((this.length + 1) * 2 > this.#slots.length) this.#rebuild();
    const mask = this.#slots.length - 1;
    let slot = (this.width === 2 ? hashPair(source[0] ?? 0, source[1] ?? 0) : hashWords(source, 0, count)) & mask;
    for (;;) {
      const row = this.#slots[slot] ?? 0;
      if (row === 0) break;
      if (this.equals(row, source, count)) return row;
      slot = (slot + 1) & mask;
    }
    const row = this.append(source, count);
    this.#slots[slot] = row;
    return row;
  }

  /**
   * `intern` of a row of two words. What came in together mostly comes in together again, so the row after `first`, where that
   * names a row of this table, is looked at before the index: no hash, no cache miss.
   */
  internPair(first: number, second: number): number {
    const { words } = this;
    const guess = (first + 1) * 2;
    if (words[guess] === first && words[guess + 1] === second && first + 1 < this.length) return first + 1;
    if ((this.length + 1) * 2 > this.#slots.length) this.#rebuild();
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashPair(first, second) & mask;
    for (;;) {
      const row = slots[slot] ?? 0;
      if (row === 0) break;
      if (words[row * 2] === first && words[row * 2 + 1] === second) return row;
      slot = (slot + 1) & mask;
    }
    pair[0] = first;
    pair[1] = second;
    const row = this.append(pair, 2);
    slots[slot] = row;
    return row;
  }

  /** Whether the row has the first `count` words of `source`. */
  equals(row: number, source: Uint32Array, count: number): boolean {
    const start = this.start(row);
    if (this.width === 0 && this.end(row) - start !== count) return false;
    for (let i = 0; i < count; i++) if (this.words[start + i] !== source[i]) return false;
    return true;
  }

  #rebuild(): void {
    let size = 64;
    while (size < (this.length + 1) * 4) size *= 2;
    this.#slots = new Uint32Array(size);
    const mask = size - 1;
    for (let row = 1; row < this.length; row++) {
      const start = this.start(row);
      const hash =
        this.width === 2
          ? hashPair(this.words[start] ?? 0, this.words[start + 1] ?? 0)
          : hashWords(this.words, start, this.end(row));
      let slot = hash & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = row;
    }
  }
}

function grown(array: Uint32Array<ArrayBuffer>, atLeast: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(atLeast, array.length * 2));
  larger.set(array);
  return larger;
}

/** MurmurHash3's mixing (Appleby, public domain), 32 bits, seeded once per process so that collisions cannot be prepared. */
function hashWords(words: Uint32Array, from: number, to: number): number {
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

function hashPair(first: number, second: number): number {
  let hash = Math.imul(first ^ seed, 0xcc9e2d51);
  hash = (hash << 15) | (hash >>> 17);
  hash = (Math.imul(hash, 0x1b873593) ^ second) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const pair = new Uint32Array(2);
const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
