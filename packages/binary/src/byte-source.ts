import { BinaryFormatError } from './binary-error.ts';

/**
 * Where bytes of an executable come from: a file, another process's memory, a buffer. Readers ask for what they need,
 * page by page; nobody asks for a whole file.
 */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /**
   * The bytes at `offset`; fewer than `length` only where the source ends. The view is valid until the next `read`.
   * Throws only what the operating system throws (an I/O error).
   */
  read(offset: number, length: number): Uint8Array;
}

/** Exactly `length` bytes, or a `BinaryFormatError` with code `truncated`: for fields that the format says are there. */
export function readExactly(source: ByteSource, offset: number, length: number): Uint8Array {
  if (offset < 0 || length < 0 || offset + length > source.size) {
    throw new BinaryFormatError('truncated', `${length} bytes at ${offset} of ${source.size}`);
  }
  const bytes = source.read(offset, length);
  if (bytes.length < length) {
    throw new BinaryFormatError('truncated', `${length} bytes at ${offset}: the source gave ${bytes.length}`);
  }
  return bytes;
}

/** A DataView over exactly `length` bytes at `offset`. */
export function viewExactly(source: ByteSource, offset: number, length: number): DataView {
  const bytes = readExactly(source, offset, length);
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}

/** Bytes that are in memory already. */
export class BufferSource implements ByteSource {
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(offset, offset + length);
  }
}
