import { mapSharedMemory, pageBytes, type SharedMemory } from './libc.ts';

const busyBit = 0x80000000;
const discardBit = 0x40000000;
const recordHeaderBytes = 8;

/**
 * Consumer of a BPF ring buffer (kernel/bpf/ringbuf.c), read in place: one page with the consumer's position, one with the
 * producers', then the data twice in a row, so that no record is ever cut at the end. One consumer only.
 */
export class SampleRing {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly #consumerPage: SharedMemory;
  readonly #producerPages: SharedMemory;
  readonly #consumer: BigInt64Array;
  readonly #producer: BigInt64Array;
  readonly #mask: number;
  #position: number;

  /** `size` is the map's max_entries: a power of two. Throws SystemError. */
  constructor(mapFd: number, size: number) {
    this.#consumerPage = mapSharedMemory(mapFd, pageBytes, 0, true);
    this.#producerPages = mapSharedMemory(mapFd, pageBytes + 2 * size, pageBytes, false);
    this.#consumer = new BigInt64Array(this.#consumerPage.bytes, 0, 1);
    this.#producer = new BigInt64Array(this.#producerPages.bytes, 0, 1);
    this.bytes = new Uint8Array(this.#producerPages.bytes, pageBytes, 2 * size);
    this.words = new Uint32Array(this.#producerPages.bytes, pageBytes, (2 * size) / 4);
    this.#mask = size - 1;
    this.#position = Number(Atomics.load(this.#consumer, 0));
  }

  /** How much of it holds records that were not given back, 0 to 1. */
  get fill(): number {
    return (Number(Atomics.load(this.#producer, 0)) - this.#position) / (this.#mask + 1);
  }

  /**
   * Calls `take` with the byte offset in `bytes` and the length of each committed record, oldest first, until there is
   * none left or `take` answers false (then that record stays for the next time). The space of the records taken is given
   * back only by `release`, so that their bytes may be read until then.
   */
  read(take: (offset: number, length: number) => boolean): void {
    const produced = Number(Atomics.load(this.#producer, 0));
    while (this.#position < produced) {
      const at = this.#position & this.#mask;
      const header = Atomics.load(this.words, at >> 2);
      if ((header & busyBit) !== 0) return;
      const length = header & ~(busyBit | discardBit);
      if ((header & discardBit) === 0 && !take(at + recordHeaderBytes, length)) return;
      this.#position += (length + recordHeaderBytes + 7) & ~7;
    }
  }

  release(): void {
    Atomics.store(this.#consumer, 0, BigInt(this.#position));
  }

  close(): void {
    this.#consumerPage.unmap();
    this.#producerPages.unmap();
  }
}
