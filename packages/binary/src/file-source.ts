import { fstatSync, readSync } from 'node:fs';
import type { ByteSource } from './byte-source.ts';

/** 64 KiB: a thousand symbol table entries or string table names a read. */
const pageSize = 64 * 1024;
/** 1 MiB of cache while a file is being read: names are asked for in the order of the file, so few pages are live. */
const pagesKept = 16;

/**
 * Reads an open file through a small cache of pages. The descriptor stays the caller's: it opens and closes it.
 * A file that shrinks meanwhile gives short reads, never an error.
 */
export class FileSource implements ByteSource {
  readonly size: number;
  readonly #fd: number;
  readonly #pages = new Map<number, Uint8Array>();

  /** `size` is told for files whose `stat` says 0 (in /proc). Throws what `fstat` throws. */
  constructor(fd: number, size = fstatSync(fd).size) {
    this.#fd = fd;
    this.size = size;
  }

  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.size);
    if (offset < 0 || end <= offset) return new Uint8Array(0);
    const first = Math.floor(offset / pageSize);
    if (Math.floor((end - 1) / pageSize) === first) {
      const within = offset - first * pageSize;
      return this.#page(first).subarray(within, within + end - offset);
    }
    const bytes = new Uint8Array(end - offset);
    return bytes.subarray(0, this.#readInto(bytes, offset));
  }

  #page(index: number): Uint8Array {
    const known = this.#pages.get(index);
    if (known !== undefined) {
      this.#pages.delete(index);
      this.#pages.set(index, known);
      return known;
    }
    // The buffer of the page that goes is filled again: a new one for each page would be garbage of the size of the file.
    let buffer: ArrayBufferLike | undefined;
    if (this.#pages.size >= pagesKept) {
      for (const [oldest, { buffer: ofOldest }] of this.#pages) {
        buffer = ofOldest;
        this.#pages.delete(oldest);
        break;
      }
    }
    const bytes = new Uint8Array(
      buffer ?? new ArrayBuffer(pageSize),
      0,
      Math.min(pageSize, this.size - index * pageSize),
    );
    const page = bytes.subarray(0, this.#readInto(bytes, index * pageSize));
    this.#pages.set(index, page);
    return page;
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
