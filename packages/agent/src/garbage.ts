import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Quiet time after which collecting disturbs nobody. */
const quietMs = 300;
/** What may lie about uncollected: below that a collection, some 20 ms, frees nothing that matters. */
const mostGarbageBytes = 12e6;
/** After so much, which is what large tables leave behind, the pages of the heap are given back as well: that takes twice as long. */
const muchGarbageBytes = 24e6;

interface CollectOptions {
  readonly type: 'major' | 'minor';
  readonly execution: 'sync';
  readonly flavor: 'regular' | 'last-resort';
}
type Collect = (options: CollectOptions) => void;

/**
 * Reading a symbol or unwind table leaves tens of megabytes behind that V8 would keep until the next pressure, which in an idle worker may never
 * come. This asks for a collection once requests have stopped and enough was allocated since the last one.
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
    const grown = usedBytes() - this.#bytesAfterLast;
    if (grown < mostGarbageBytes) return;
    const flavor = grown < muchGarbageBytes ? 'regular' : 'last-resort';
    this.#collect({ type: 'major', execution: 'sync', flavor });
    // Buffers that a collection has found are freed and taken off beside it: the next one, however small, waits for that.
    this.#collect({ type: 'minor', execution: 'sync', flavor: 'regular' });
    this.#bytesAfterLast = usedBytes();
  }
}

/** Of this thread's heap and of the buffers that belong to it. */
function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
