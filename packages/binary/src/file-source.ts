import { fstatSync, readSync } from 'node:fs';
import type { ByteSource } from './byte-source.ts';

/** For tables that are read from end to end: 64 KiB are a thousand symbols or names a read, and 1 MiB of cache while the file is being read. */
const wholeTables: FilePages = { bytes: 64 * 1024, kept: 16 };
/** For single fields here and there of a file that stays open: 256 KiB of cache. */
export const scatteredFields: FilePages = { bytes: 4 * 1024, kept: 64 };

/** Size and number of the pages that are kept. */
export interface FilePages {
  readonly bytes: number;
  readonly kept: number;
}

/**
 * Reads an open file through a small cache of pages. The descriptor stays the caller's: it opens and closes it.
 * A file that shrinks meanwhile gives short reads, never an error.
 */
export class FileSource implements ByteSource {
  readonly size: number;
  readonly #fd: number;
  readonly #pageBytes: number;
  readonly #pagesKept: number;
  #slab: ArrayBuffer | undefined;
  readonly #pages = new Map<number, Uint8Array>();

  /** `size` is told for files whose `stat` says 0 (in /proc). Throws what `fstat` throws. */
  constructor(fd: number, size = fstatSync(fd).size, pages: FilePages = wholeTables) {
    this.#fd = fd;
    this.#pageBytes = pages.bytes;
    this.#pagesKept = pages.kept;
    this.size = size;
  }

  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.size);
    if (offset < 0 || end <= offset) return new Uint8Array(0);
    const first = Math.floor(offset / this.#pageBytes);
    if (Math.floor((end - 1) / this.#pageBytes) === first) {
      const within = offset - first * this.#pageBytes;
      return this.#page(first).subarray(within, within + end - offset);
    }
    const bytes = new Uint8Array(end - offset);
    return bytes.subarray(0, this.#readInto(bytes, offset));
  }

  /** Gives the cache back; the next read takes a new one. */
  discard(): void {
    this.#pages.clear();
    if (this.#slab !== undefined) this.#slab.transfer(0);
    this.#slab = undefined;
  }

  #page(index: number): Uint8Array {
    const known = this.#pages.get(index);
    if (known !== undefined) {
      this.#pages.delete(index);
      this.#pages.set(index, known);
      return known;
    }
    // All pages lie in one buffer, and the page that goes makes room for the one that comes: a buffer for each page would be garbage of the size of the
    // file, and leave holes in malloc's heap.
    this.#slab ??= new ArrayBuffer(this.#pageBytes * Math.min(this.#pagesKept, Math.ceil(this.size / this.#pageBytes)));
    let slabOffset = this.#pages.size * this.#pageBytes;
    if (slabOffset >= this.#slab.byteLength) {
      for (const [oldest, { byteOffset }] of this.#pages) {
        slabOffset = byteOffset;
        this.#pages.delete(oldest);
        break;
      }
    }
    const bytes = new Uint8Array(
      this.#slab,
      slabOffset,
      Math.min(this.#pageBytes, this.size - index * this.#pageBytes),
    );
    const page = this.#readPage(bytes, index);
    this.#pages.set(index, page);
    return page;
  }

  #readPage(into: Uint8Array, index: number): Uint8Array {
    try {
      return into.subarray(0, this.#readInto(into, index * this.#pageBytes));
    } catch (error) {
      // Which places of the buffer are free is told by the number of pages.
      this.#pages.clear();
      throw error;
    }
  }

  #readInto(bytes: Uint8Array, offset: number): number {
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(this.#fd, bytes, done, bytes.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }
}
