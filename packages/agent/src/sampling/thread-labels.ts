import type { ThreadLabel } from '../runtimes/frame-reader.ts';
import type { ProgramLabel } from '../runtimes/program-labels.ts';

/** A thread is sampled while it starts, before the runtime has given it its name, or reading it has failed: it is looked at again. */
const mostLooks = 3;

interface Looked {
  readonly label: ThreadLabel | 'gone';
  readonly looks: number;
  readonly drain: number;
}

/** What runtimes call the threads of an interval, by the thread's row. */
export class ThreadLabels {
  readonly #looked: (Looked | undefined)[] = [];

  /** A sample of the thread has come: is its label to be looked for? Once in a drain. */
  isOpen(row: number, drain: number): boolean {
    const looked = this.#looked[row];
    if (looked === undefined) return true;
    return typeof looked.label === 'string' && looked.looks < mostLooks && looked.drain !== drain;
  }

  set(row: number, drain: number, label: ThreadLabel | 'gone'): void {
    this.#looked[row] = { label, looks: (this.#looked[row]?.looks ?? 0) + 1, drain };
  }

  of(row: number): ProgramLabel | undefined {
    const label = this.#looked[row]?.label;
    return typeof label === 'object' ? label : undefined;
  }

  /** Why it has none, where that is a loss. */
  lossOf(row: number): 'thread_gone' | 'thread_unread' | undefined {
    const label = this.#looked[row]?.label;
    return label === 'gone' ? 'thread_gone' : label === 'unread' ? 'thread_unread' : undefined;
  }
}
