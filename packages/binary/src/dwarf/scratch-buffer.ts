import type { ByteSource } from '../byte-source.ts';

/** Small reads seldom cross the pages that a source keeps, so that it need not put a new array together. */
const readSize = 4096;
/** Larger ones are let go after use: few units have more. */
const mostKeptBytes = 4 * 1024 * 1024;

/** Memory for one unit or line table at a time, used over and over: new arrays for each would be garbage of many times a file's size. */
export class ScratchBuffer {
  #bytes = new Uint8Array(0);

  get byteLength(): number {
    return this.#bytes.length;
  }

  /** A part of a source, shorter only where the source ends; valid until the next call. */
  load(source: ByteSource, offset: number, length: number): Uint8Array {
    const size = Math.max(0, Math.min(length, source.size - offset));
    let bytes = this.#bytes;
    if (bytes.length < size) bytes = new Uint8Array(Math.max(size, 2 * bytes.length));
    if (bytes.length <= mostKeptBytes) this.#bytes = bytes;
    let done = 0;
    while (done < size) {
      const part = source.read(offset + done, Math.min(readSize, size - done));
      if (part.length === 0) break;
      bytes.set(part, done);
      done += part.length;
    }
    return bytes.subarray(0, done);
  }
}
