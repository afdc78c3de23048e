const minuteMs = 60_000;
/** A pass waits so long at most for a writer that has not caught up: it takes a CPU and some hundred megabytes for a while. */
const mostDelayMs = 5 * minuteMs;
/** So long after the last profile all that changes is which services are silent, */
const calmAfterMs = 15 * minuteMs;
/** for which a pass from time to time is enough: the readers' threads may end in between. */
const calmEveryMs = 30 * minuteMs;

/** What the way in does. */
export interface WriterState {
  /** Something waits to be stored. */
  readonly isBusy: boolean;
  /** When something was stored last, or the server started, Unix ms. */
  readonly storedMs: number;
}

/** How long a pass that is due since `dueMs` has to wait; 0: it begins. `lastMs`: when the last one began; null before the first. */
export function waitForPass(nowMs: number, dueMs: number, lastMs: number | null, writer: WriterState): number {
  const isCalm = nowMs - writer.storedMs >= calmAfterMs && lastMs !== null && nowMs - lastMs < calmEveryMs;
  if (isCalm) return minuteMs;
  return writer.isBusy && nowMs - dueMs < mostDelayMs ? 1000 : 0;
}
