import { mapSharedMemory, pageBytes, type SharedMemory } from './libc.ts';

/** Offsets in `struct perf_event_mmap_page`. */
const dataHead = 1024;
const dataTail = 1032;
const headerBytes = 8;

/**
 * Consumer of one perf event's ring (mmap of the event's descriptor): a page of positions, then `dataPages` of records.
 * Mapped writable, so the kernel keeps what is not read yet and counts what it had to drop in a LOST record.
 */
export class PerfRing {
  readonly #memory: SharedMemory;
  readonly #positions: BigInt64Array;
  readonly #data: Uint8Array;
  readonly #view: DataView;
  /** A record that goes over the end of the ring is put together here; records are shorter than 64 KB by their size field. */
  readonly #joined = new Uint8Array(65536);
  readonly #joinedView = new DataView(this.#joined.buffer);

  /** `dataPages` is a power of two. Throws SystemError. */
  constructor(fd: number, dataPages: number) {
    this.#memory = mapSharedMemory(fd, (1 + dataPages) * pageBytes, 0, true);
    this.#positions = new BigInt64Array(this.#memory.bytes, 0, pageBytes / 8);
    this.#data = new Uint8Array(this.#memory.bytes, pageBytes, dataPages * pageBytes);
    this.#view = new DataView(this.#memory.bytes, pageBytes, dataPages * pageBytes);
  }

  /** Calls `take` with each record: it starts at `offset` of `view` and has `size` bytes. Valid during the call only. */
  read(take: (view: DataView, offset: number, size: number) => void): void {
    const size = this.#data.length;
    const head = Number(Atomics.load(this.#positions, dataHead / 8));
    let tail = Number(Atomics.load(this.#positions, dataTail / 8));
    while (head - tail >= headerBytes) {
      const at = tail & (size - 1);
      // Records are multiples of 8 bytes long, so a header is never cut.
      const length = this.#view.getUint16(at + 6, true);
      if (length < headerBytes || length > head - tail) {
        Atomics.store(this.#positions, dataTail / 8, BigInt(head));
        throw new Error(`perf ring: record of ${length} bytes with ${head - tail} readable`);
      }
      if (at + length <= size) {
        take(this.#view, at, length);
      } else {
        const first = size - at;
        this.#joined.set(this.#data.subarray(at, size));
        this.#joined.set(this.#data.subarray(0, length - first), first);
        take(this.#joinedView, 0, length);
      }
      tail += length;
    }
    Atomics.store(this.#positions, dataTail / 8, BigInt(tail));
  }

  close(): void {
    this.#memory.unmap();
  }
}
