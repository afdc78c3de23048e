import { constants, getPriority } from 'node:os';
import { schedulePriority, SystemError } from './libc.ts';

/** Below zero is before others. A drain takes a millisecond. */
const urgentNice = -10;

/**
 * Puts this thread before others, so that the ring of samples is emptied in time on a host where thousands of threads want to run. Threads
 * and processes that it starts are ordinary ones (SCHED_FLAG_RESET_ON_FORK). Does nothing where that is not permitted, or where who started us
 * wants us behind others. Answers how to undo it.
 */
export function beUrgent(): () => void {
  const ordinary = constants.priority.PRIORITY_NORMAL;
  if (getPriority() !== ordinary) return () => undefined;
  try {
    schedulePriority(urgentNice, true);
  } catch (error) {
    if (error instanceof SystemError) return () => undefined;
    throw error;
  }
  return () => schedulePriority(ordinary, false);
}
