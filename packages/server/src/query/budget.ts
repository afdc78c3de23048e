import { getHeapStatistics } from 'node:v8';
import { Refused } from '../problem.ts';

/** What one question may use. */
export interface BudgetLimits {
  readonly timeMs: number;
  /** Columns of profiles and trees, which lie outside of JavaScript's heap. */
  readonly memoryMb: number;
}

/** Buffers that wait for the garbage collector count, too, so that the bound has to leave room for them. */
export const defaultBudget: BudgetLimits = { timeMs: 30_000, memoryMb: 1024 };

/** Called between two pieces of work; throws when the question is not to be answered any more. */
export type Check = () => void;

/** Looking at the memory takes some microseconds, at the clock some tens of nanoseconds. */
const memoryEvery = 64;

/**
 * Starts the clock of one question. `cancelled`: one shared 32-bit word, not 0 once nobody waits for the answer.
 *
 * The check throws Refused 422 `query_too_long`, 422 `query_too_large`, 499 `client_gone`.
 */
export function startBudget({ timeMs, memoryMb }: BudgetLimits, cancelled: Int32Array | null): Check {
  const startedAt = performance.now();
  let calls = 0;
  return () => {
    if (cancelled !== null && Atomics.load(cancelled, 0) !== 0) {
      throw new Refused(499, 'client_gone', 'nobody waits for this answer any more');
    }
    if (performance.now() - startedAt > timeMs) {
      const detail = `the answer takes longer than the ${timeMs / 1000} s that a question may take: ask for a shorter range, fewer series or a longer step`;
      throw new Refused(422, 'query_too_long', detail);
    }
    if (calls++ % memoryEvery !== 0) return;
    if (getHeapStatistics().external_memory > memoryMb * 2 ** 20) {
      const detail = `the answer needs more than the ${memoryMb} MB that a question may use: ask for a shorter range, fewer series, or leave out group_by`;
      throw new Refused(422, 'query_too_large', detail);
    }
  };
}
