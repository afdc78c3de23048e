import { readlinkSync } from 'node:fs';
import { asResult } from '@everflame/binary';
import type { ProcessView } from './process.ts';

/** Processes whose root directory is remembered. */
const mostRoots = 4096;

/** The root directory of a process as its paths show it: not `/` only in a chroot that is not a mount namespace's root. */
export class ProcessRoots {
  readonly #roots = new Map<string, string>();

  of(process: Pick<ProcessView, 'pid' | 'startTimeNs'>): string {
    const key = `${process.pid}:${process.startTimeNs}`;
    let root = this.#roots.get(key);
    if (root === undefined) {
      const link = asResult(() => readlinkSync(`/proc/${process.pid}/root`));
      root = link.ok ? link.value : '/';
      for (const oldest of this.#roots.keys()) {
        if (this.#roots.size < mostRoots) break;
        this.#roots.delete(oldest);
      }
      this.#roots.set(key, root);
    }
    return root;
  }
}
