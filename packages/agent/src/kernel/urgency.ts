import { constants, getPriority, setPriority } from 'node:os';

/** Below zero is before others. A drain takes a millisecond. */
const urgent = -10;

/**
 * Puts this thread before others, so that the ring of samples is emptied in time on a host where thousands of threads want to run. Does nothing
 * where that is not permitted, or where who started us wants us behind others. Answers how to undo it.
 *
 * Linux has a priority for each thread, and a new thread or process begins with its creator's: workers call `beOrdinary`.
 */
export function beUrgent(): () => void {
  const before = getPriority();
  if (before !== constants.priority.PRIORITY_NORMAL) return () => undefined;
  try {
    setPriority(urgent);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return () => undefined;
    throw error;
  }
  return () => setPriority(before);
}

/** For threads that the urgent one has started. */
export function beOrdinary(): void {
  if (getPriority() < constants.priority.PRIORITY_NORMAL) setPriority(constants.priority.PRIORITY_NORMAL);
}
