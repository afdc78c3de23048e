import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/**
 * Names a block. Measured on the 114,000 symbols of Node.js 24 (10.5 MB of text): 64 names compress 6.9-fold, 128 names
 * 7.8-fold with 21 µs to open a block, 256 names 8.6-fold with 27 µs.
 */
const namesPerBlock = 256;
/** Longer ones are cut: no tool prints them, and a hostile table could otherwise hold one of gigabytes. */
const longestName = 16 * 1024;
/** Opened blocks that are kept: names that are asked for together tend to stand together. */
const blocksOpen = 4;

/**
 * Names by number, in compressed blocks: about 12 bytes a name where the text has 100. They are bytes (symbol tables promise no
 * encoding); reading decodes them as UTF-8 with U+FFFD for what is not.
 */
export class NameBlocks {
  #blocks: Uint8Array[] = [];
  #pending: Uint8Array[] = [];
  #byteLength = 0;
  readonly #open = new Map<number, string[]>();

  /** Resident bytes, opened blocks and the one being filled not counted (they are bounded). */
  get byteLength(): number {
    return this.#byteLength;
  }

  get length(): number {
    return this.#blocks.length * namesPerBlock + this.#pending.length;
  }

  /** Keeps a copy of `name` (bytes from 0 on are not part of it) and returns its number. */
  add(name: Uint8Array): number {
    const id = this.length;
    const nul = name.indexOf(0);
    this.#pending.push(name.slice(0, Math.min(nul < 0 ? name.length : nul, longestName)));
    if (this.#pending.length === namesPerBlock) this.#flush();
    return id;
  }

  /** The name with this number. Throws a RangeError for one that `add` never gave: a bug of the caller. */
  get(id: number): string {
    if (id < 0 || id >= this.length) throw new RangeError(`name ${id} of ${this.length}`);
    const block = Math.floor(id / namesPerBlock);
    const within = id % namesPerBlock;
    if (block === this.#blocks.length) return Buffer.from(this.#pending[within] ?? []).toString('utf8');
    return this.#openBlock(block)[within] ?? '';
  }

  #openBlock(block: number): string[] {
    let names = this.#open.get(block);
    if (names === undefined) {
      names = zstdDecompressSync(this.#blocks[block] ?? new Uint8Array(0))
        .toString('utf8')
        .split('\0');
      for (const oldest of this.#open.keys()) {
        if (this.#open.size < blocksOpen) break;
        this.#open.delete(oldest);
      }
    } else {
      this.#open.delete(block);
    }
    this.#open.set(block, names);
    return names;
  }

  #flush(): void {
    const separator = new Uint8Array(1);
    const parts: Uint8Array[] = [];
    for (const name of this.#pending) {
      if (parts.length > 0) parts.push(separator);
      parts.push(name);
    }
    const compressed = zstdCompressSync(Buffer.concat(parts));
    // A copy of its own: what zlib returns may sit in a larger allocation.
    const block = new Uint8Array(compressed.length);
    block.set(compressed);
    this.#blocks.push(block);
    this.#byteLength += block.length;
    this.#pending = [];
  }
}
