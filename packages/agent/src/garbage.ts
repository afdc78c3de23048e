import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Quiet time after which collecting disturbs nobody. */
const quietMs = 300;
/** What may lie about uncollected: below that a collection, some 20 ms and as much again in V8's helpers, frees nothing that matters. */
const mostGarbageBytes = 6e6;

type Collect = (options: {
  readonly type: 'major';
  readonly execution: 'sync';
  readonly flavor: 'last-resort';
}) => void;

/**
 * Reading a symbol or unwind table leaves tens of megabytes behind that V8 would keep until the next pressure, which in an idle worker may never
 * come. This asks for a collection once requests have stopped and enough was allocated since the last one. The pages of the heap are given back as well, and
 * buffers are freed before it returns: an ordinary collection leaves that to a helper, and what is measured after it is too much.
 */
export class GarbageCollector {
  readonly #collect: Collect;
  #timer: NodeJS.Timeout | undefined;
  #bytesAfterLast = 0;

  constructor() {
    // The agent is started with the flag; set while it runs, it makes the workers that start later miss the compile cache.
    if (globalThis.gc === undefined) setFlagsFromString('--expose-gc');
    const collect: unknown = globalThis.gc ?? runInNewContext('globalThis.gc');
    this.#collect = typeof collect === 'function' ? (collect as Collect) : () => undefined;
  }

  /** Collects when nothing has called this for a moment. */
  schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#collectMuch(), quietMs).unref();
  }

  #collectMuch(): void {
    if (usedBytes() < this.#bytesAfterLast + mostGarbageBytes) return;
    this.#collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    this.#bytesAfterLast = usedBytes();
  }
}

/** Of this thread's heap and of the buffers that belong to it. */
function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
