import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Quiet time after which collecting disturbs nobody. */
const quietMs = 300;
/** What may lie about uncollected: below that a collection, some 20 ms and as much again in V8's helpers, frees nothing that matters. */
const mostGarbageBytes = 6e6;

/**
 * Reading a symbol table leaves tens of megabytes behind that V8 would keep until the next pressure, which in an idle worker may never
 * come. This asks for a collection once requests have stopped and enough was allocated since the last one. Measured after the kernel's and Node.js's symbols: 132 MB
 * resident become 116 MB, 121 become 92 with malloc's limits as scripts/everflame.mjs sets them.
 */
export class GarbageCollector {
  readonly #collect: () => void;
  #timer: NodeJS.Timeout | undefined;
  #bytesAfterLast = 0;

  constructor() {
    // The agent is started with the flag; set while it runs, it makes the workers that start later miss the compile cache.
    if (globalThis.gc === undefined) setFlagsFromString('--expose-gc');
    const collect: unknown = globalThis.gc ?? runInNewContext('globalThis.gc');
    this.#collect = typeof collect === 'function' ? () => void collect() : () => undefined;
  }

  /** Collects when nothing has called this for a moment. */
  schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#collectMuch(), quietMs).unref();
  }

  #collectMuch(): void {
    if (usedBytes() < this.#bytesAfterLast + mostGarbageBytes) return;
    this.#collect();
    this.#bytesAfterLast = usedBytes();
  }
}

/** Of this thread's heap and of the buffers that belong to it. */
function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
