/**
 * A block file: immutable, read in sections.
 *
 *     "EVFBLK03"
 *     sections            each a codec byte (0 as it is, 1 zstd) and its bytes
 *     directory           the last section
 *     tail, 28 bytes      directory: offset (two words), length, CRC-32; 0; "EVFBLK03"
 *
 * The last digit of the magic is the version; version 2 is read as well. Whoever refers to a section says its offset, length and CRC-32, so that a flipped bit is found where it is read.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { ByteReader, ByteWriter } from '../bytes.ts';

/** The last digit is the version. Blocks of version 2, in stores of format 3, had their dictionary row by row (`readDictionary`). */
const magic = new TextEncoder().encode('EVFBLK03');
const versionAt = 7;
const oldestVersion = 2;
const newestVersion = 3;
const digitZero = 0x30;
const tailBytes = 28;
/** Below this a frame of zstd saves less than its call costs (about 20 µs). */
const compressAboveBytes = 256;
/** A section never unpacks to more: what claims to is damaged. */
const maxSectionBytes = 1024 * 1024 * 1024;

export interface SectionRef {
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
}

/** What is on disk is not what was written. */
export class DamagedBlock extends Error {
  override readonly name = 'DamagedBlock';
}

/** What cannot be decoded although its checksum is right was written wrongly: damaged all the same. */
export function soundly<T>(file: BlockFileReader, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof RangeError)
      throw new DamagedBlock(`${file.path} is damaged: ${error.message}`, { cause: error });
    throw error;
  }
}

export function putRef(out: ByteWriter, { offset, length, crc }: SectionRef): void {
  out.varint(offset);
  out.varint(length);
  out.varint(crc);
}

export function takeRef(input: ByteReader): SectionRef {
  return { offset: input.varint(), length: input.varint(), crc: input.varint() };
}

/** Writes a new file; it is whole and on disk after `finish`. */
export class BlockFileWriter {
  readonly #fd: number;
  #length = 0;
  #isOpen = true;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx');
    this.#write(magic);
  }

  section(bytes: Uint8Array): SectionRef {
    const options = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
    const packed = bytes.length > compressAboveBytes ? zstdCompressSync(bytes, options) : bytes;
    const isSmaller = packed.length < bytes.length;
    const stored = new Uint8Array(1 + (isSmaller ? packed.length : bytes.length));
    stored[0] = isSmaller ? 1 : 0;
    stored.set(isSmaller ? packed : bytes, 1);
    const ref = { offset: this.#length, length: stored.length, crc: crc32(stored) };
    this.#write(stored);
    return ref;
  }

  /** Answers the size of the file. */
  finish(directory: Uint8Array): number {
    const { offset, length, crc } = this.section(directory);
    const tail = new Uint8Array(tailBytes);
    const view = new DataView(tail.buffer);
    view.setUint32(0, offset % 0x1_0000_0000, true);
    view.setUint32(4, Math.floor(offset / 0x1_0000_0000), true);
    view.setUint32(8, length, true);
    view.setUint32(12, crc, true);
    tail.set(magic, 20);
    this.#write(tail);
    fsyncSync(this.#fd);
    this.close();
    return this.#length;
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done);
    this.#length += bytes.length;
  }
}

export class BlockFileReader {
  readonly path: string;
  /** Null: closed. Who still reads, as a question that had more blocks than stay open, opens it for each section. */
  #fd: number | null;
  readonly #length: number;
  /** Known once the directory was read. */
  version = 0;

  constructor(path: string) {
    this.path = path;
    const fd = openSync(path, 'r');
    this.#fd = fd;
    this.#length = fstatSync(fd).size;
  }

  directory(): Uint8Array {
    const tail = this.#read(this.#length - tailBytes, tailBytes);
    if (!magic.every((byte, i) => i === versionAt || tail[20 + i] === byte)) throw this.#damaged('its end is missing');
    this.version = (tail[20 + versionAt] ?? 0) - digitZero;
    if (this.version < oldestVersion || this.version > newestVersion)
      throw this.#damaged(`it says to be of version ${this.version}`);
    const view = new DataView(tail.buffer, tail.byteOffset);
    return this.section({
      offset: view.getUint32(0, true) + view.getUint32(4, true) * 0x1_0000_0000,
      length: view.getUint32(8, true),
      crc: view.getUint32(12, true),
    });
  }

  /** @throws DamagedBlock */
  section({ offset, length, crc }: SectionRef): Uint8Array {
    const stored = this.#read(offset, length);
    if (crc32(stored) !== crc) throw this.#damaged(`the checksum of the ${length} bytes at ${offset} is wrong`);
    const rest = stored.subarray(1);
    return stored[0] === 1 ? zstdDecompressSync(rest, { maxOutputLength: maxSectionBytes }) : rest;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 1 || offset + length > this.#length) throw this.#damaged('it is too short');
    const fd = this.#fd ?? openSync(this.path, 'r');
    try {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const count = this.#readSome(fd, bytes.subarray(done), offset + done);
        if (count === 0) throw this.#damaged('it is too short');
        done += count;
      }
      return bytes;
    } finally {
      if (fd !== this.#fd) closeSync(fd);
    }
  }

  #readSome(fd: number, into: Uint8Array, offset: number): number {
    try {
      return readSync(fd, into, 0, into.length, offset);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EIO')) throw error;
      throw new DamagedBlock(`${this.path} is damaged: the disk cannot read it (${error.message})`, { cause: error });
    }
  }

  #damaged(reason: string): DamagedBlock {
    return new DamagedBlock(`${this.path} is damaged: ${reason}`);
  }
}
