import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So much more outside of the heap than after the last collection is worth one: it takes some ten milliseconds. */
const worthBytes = 32 * 1024 * 1024;
/** When nothing else is to be done. */
const worthAtRestBytes = 1024 * 1024;

interface CollectOptions {
  readonly type: 'major' | 'minor';
  readonly execution: 'sync';
  readonly flavor: 'regular' | 'last-resort';
}
type Collect = (options: CollectOptions) => void;

/**
 * Columns lie outside of JavaScript's heap, where V8 hardly sees them: a thread that makes and drops many of them holds hundreds of
 * megabytes until its small heap is full. Called between two pieces of work, this collects when much has come together.
 */
export class Garbage {
  #made: Collect | null = null;
  #bytesAfter = 0;
  #bytesAtRest = 0;

  collectIfMuch(worth = worthBytes): void {
    if (outsideBytes() - this.#bytesAfter < worth) return;
    this.#collect({ type: 'major', execution: 'sync', flavor: 'regular' });
    // Buffers that a collection has found are freed and taken off beside it: the next one, however small, waits for that.
    this.collectYoung();
    this.#bytesAfter = outsideBytes();
  }

  /**
   * Called when a piece of work is over: gives back the pages of the heap, too, which takes twice as long. The last collection was amid the work, when much of
   * what is there was used; so this goes by what was left when the thread rested before.
   */
  collectAtRest(): void {
    if (heldBytes() - this.#bytesAtRest < worthAtRestBytes) return;
    this.#collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    this.#bytesAfter = outsideBytes();
    this.#bytesAtRest = heldBytes();
  }

  /** What was made lately and is not used any more: takes a millisecond or two. */
  collectYoung(): void {
    this.#collect({ type: 'minor', execution: 'sync', flavor: 'regular' });
  }

  get #collect(): Collect {
    if (this.#made !== null) return this.#made;
    setFlagsFromString('--expose-gc');
    return (this.#made = runInNewContext('gc') as Collect);
  }
}

/** In the heap and outside of it. */
function heldBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function outsideBytes(): number {
  return getHeapStatistics().external_memory;
}
