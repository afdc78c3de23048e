import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { discard } from './discard.ts';
import { GrowableUint32Array } from './growable-array.ts';
import { LruCache } from './lru-cache.ts';

/**
 * Names a block. Measured on the 114,000 symbols of Node.js 24 (10.5 MB of text): 64 names compress 6.9-fold, 128 names
 * 7.8-fold with 21 µs to open a block, 256 names 8.6-fold with 27 µs.
 */
const namesPerBlock = 256;
/** Longer ones are cut: no tool prints them, and a hostile table could otherwise hold one of gigabytes. */
const longestName = 16 * 1024;
/** Of opened blocks, four or five: names that are asked for together tend to stand together. */
const openBudget = 128 * 1024;
/** Of names given lately, some 500: a function that runs is asked for with each new address in it. */
const givenBudget = 128 * 1024;
/** What a kept name takes beside its text. */
const givenOverhead = 160;

/**
 * Names by number, in compressed blocks: about 12 bytes a name where the text has 100. They are bytes (symbol tables promise no
 * encoding); reading decodes them as UTF-8 with U+FFFD for what is not.
 */
export class NameBlocks {
  /** The compressed blocks one after the other: in memory of their own they would lie between what compressing leaves, and hold malloc's heap open. */
  #pool = new Uint8Array(1024);
  #poolLength = 0;
  readonly #blockEnds = new GrowableUint32Array(16);
  readonly #open = new LruCache<number, Uint8Array>(openBudget);
  readonly #given = new LruCache<number, string>(givenBudget);
  /** The block being filled: names that each end with a NUL. */
  #pending = new Uint8Array(4096);
  #pendingLength = 0;
  #pendingCount = 0;

  /** Resident bytes; opened blocks, names given lately and the block being filled are not counted (they are bounded). */
  get byteLength(): number {
    return this.#pool.length + 4 * this.#blockEnds.length;
  }

  get length(): number {
    return this.#blockEnds.length * namesPerBlock + this.#pendingCount;
  }

  /** Keeps a copy of the name at `[from, to)` of `bytes`, up to the first NUL, and returns its number. */
  add(bytes: Uint8Array, from = 0, to = bytes.length): number {
    const id = this.length;
    const end = Math.min(to, from + longestName);
    if (this.#pendingLength + end - from + 1 > this.#pending.length) this.#widen(end - from + 1);
    const pending = this.#pending;
    let at = this.#pendingLength;
    for (let i = from; i < end; i++) {
      const byte = bytes[i] ?? 0;
      if (byte === 0) break;
      pending[at++] = byte;
    }
    pending[at++] = 0;
    this.#pendingLength = at;
    this.#pendingCount++;
    if (this.#pendingCount === namesPerBlock) this.#flush();
    return id;
  }

  /** Gives back what was taken in advance; names may still be added. */
  trim(): void {
    if (this.#pool.length > this.#poolLength) this.#pool = resized(this.#pool, this.#poolLength, this.#poolLength);
  }

  /** The name with this number. Throws a RangeError for one that `add` never gave: a bug of the caller. */
  get(id: number): string {
    if (id < 0 || id >= this.length) throw new RangeError(`name ${id} of ${this.length}`);
    const given = this.#given.get(id);
    if (given !== undefined) return given;
    const block = Math.floor(id / namesPerBlock);
    const isPending = block === this.#blockEnds.length;
    const name = nameAt(isPending ? this.#pending : this.#openBlock(block), id % namesPerBlock);
    this.#given.set(id, name, givenOverhead + name.length);
    return name;
  }

  #openBlock(block: number): Uint8Array {
    const open = this.#open.get(block);
    if (open !== undefined) return open;
    const from = block === 0 ? 0 : this.#blockEnds.at(block - 1);
    const names = zstdDecompressSync(this.#pool.subarray(from, this.#blockEnds.at(block)));
    this.#open.set(block, names, names.length);
    return names;
  }

  #widen(by: number): void {
    const wider = new Uint8Array(Math.max(this.#pending.length * 2, this.#pendingLength + by));
    wider.set(this.#pending.subarray(0, this.#pendingLength));
    this.#pending = wider;
  }

  #flush(): void {
    const compressed = zstdCompressSync(this.#pending.subarray(0, this.#pendingLength));
    const end = this.#poolLength + compressed.length;
    if (end > this.#pool.length)
      this.#pool = resized(this.#pool, this.#poolLength, Math.max(end, this.#pool.length * 2));
    this.#pool.set(compressed, this.#poolLength);
    this.#poolLength = end;
    this.#blockEnds.push(end);
    this.#pendingLength = 0;
    this.#pendingCount = 0;
  }
}

/** A copy; `bytes` are given back. */
function resized(bytes: Uint8Array<ArrayBuffer>, length: number, capacity: number): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(capacity);
  changed.set(bytes.subarray(0, length));
  discard(bytes);
  return changed;
}

/** The `index`-th of names that each end with a NUL: a string of its own, since a part of one would hold all of that. */
function nameAt(bytes: Uint8Array, index: number): string {
  let from = 0;
  for (let i = 0; i < index; i++) from = bytes.indexOf(0, from) + 1;
  const length = bytes.indexOf(0, from) - from;
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, length).toString('utf8');
}
