import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So much more outside of the heap than after the last collection is worth one: it takes some ten milliseconds. */
const worthBytes = 32 * 1024 * 1024;

type Collect = (options?: { readonly type: 'minor' }) => void;

/**
 * Columns lie outside of JavaScript's heap, where V8 hardly sees them: a thread that makes and drops many of them holds hundreds of
 * megabytes until its small heap is full. Called between two pieces of work, this collects when much has come together.
 */
export class Garbage {
  #made: Collect | null = null;
  #bytesAfter = 0;

  collectIfMuch(worth = worthBytes): void {
    if (outsideBytes() - this.#bytesAfter < worth) return;
    this.#collect();
    this.#bytesAfter = outsideBytes();
  }

  /** What was made lately and is not used any more: takes a millisecond or two. */
  collectYoung(): void {
    this.#collect({ type: 'minor' });
  }

  get #collect(): Collect {
    if (this.#made !== null) return this.#made;
    setFlagsFromString('--expose-gc');
    return (this.#made = runInNewContext('gc') as Collect);
  }
}

function outsideBytes(): number {
  return getHeapStatistics().external_memory;
}
