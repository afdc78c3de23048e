import { type UnwindRows, unwindChunkElements } from '@everflame/binary';
import { loadLibbpf } from './libbpf.ts';
import { closeFd } from './libc.ts';

/** Of a chunk: 512 elements of 8 bytes. */
const chunkBytes = unwindChunkElements * 8;
const chunkWords = unwindChunkElements * 2;
const chunkShift = Math.log2(chunkWords);
/** 2 MB of chunks that are read back at a time; a build farm's programs and libraries need a few hundred. */
const mostChunks = 512;

/**
 * Puts the elements of a table into an array of the kernel and that into `slot` of the array `tablesFd`. Waits for the kernel's programs to
 * let go of what was there before, some milliseconds: not for the main thread. Answers the descriptor of the table's array. Throws SystemError.
 */
export function putKernelTable(tablesFd: number, slot: number, words: Uint32Array): number {
  const libbpf = loadLibbpf();
  const chunks = Math.max(1, Math.ceil(words.length / chunkWords));
  const values = new Uint32Array(chunks * chunkWords);
  values.set(words);
  const fd = libbpf.createInnerArray('ef_table', chunkBytes, chunks);
  try {
    libbpf.updateBatch(
      fd,
      Uint32Array.from({ length: chunks }, (_, i) => i),
      new Uint8Array(values.buffer),
      chunks,
    );
    libbpf.update(tablesFd, keyOf(slot), new Uint8Array(Uint32Array.of(fd).buffer));
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  return fd;
}

/** Takes a table out and gives its memory back. */
export function dropKernelTable(tablesFd: number, slot: number, fd: number): void {
  loadLibbpf().remove(tablesFd, keyOf(slot));
  closeFd(fd);
}

function keyOf(index: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(index).buffer);
}

/** Chunks of all tables, read back from the kernel as they are needed; all are forgotten when they are too many. */
export class ChunkCache {
  readonly #tables = new Set<KernelTable>();
  #chunks = 0;

  read(table: KernelTable, fd: number, chunk: number): Uint32Array | undefined {
    if (this.#chunks >= mostChunks) {
      for (const each of this.#tables) each.forget();
      this.#tables.clear();
      this.#chunks = 0;
    }
    this.#tables.add(table);
    this.#chunks++;
    const words = new Uint32Array(chunkWords);
    loadLibbpf().lookup(fd, keyOf(chunk), new Uint8Array(words.buffer));
    return words;
  }
}

/** A table that lies in the kernel, for the twin of the kernel's unwinder: it is in memory once. */
export class KernelTable implements UnwindRows {
  readonly machine: number;
  readonly flags: number;
  readonly base: number;
  readonly pageCount: number;
  readonly fd: number;
  readonly #cache: ChunkCache;
  readonly #chunkCount: number;
  #chunks: (Uint32Array | undefined)[] = [];

  constructor(
    parts: Pick<KernelTable, 'machine' | 'flags' | 'base' | 'pageCount' | 'fd'> & { readonly byteLength: number },
    cache: ChunkCache,
  ) {
    this.machine = parts.machine;
    this.flags = parts.flags;
    this.base = parts.base;
    this.pageCount = parts.pageCount;
    this.fd = parts.fd;
    this.#chunkCount = parts.byteLength / chunkBytes;
    this.#cache = cache;
  }

  word(index: number): number {
    const number = index >>> chunkShift;
    let chunk = this.#chunks[number];
    if (chunk === undefined) {
      if (number >= this.#chunkCount) return 0;
      chunk = this.#cache.read(this, this.fd, number);
      this.#chunks[number] = chunk;
    }
    return chunk?.[index & (chunkWords - 1)] ?? 0;
  }

  forget(): void {
    this.#chunks = [];
  }
}
