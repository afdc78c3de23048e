import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { constants, getPriority, setPriority } from 'node:os';
import { schedulePriority, SystemError } from './libc.ts';

/** The most: against a thousand threads that want a CPU it is 8 % of it, where -10 would be 1 %. A drain takes a millisecond. */
const urgentNice = -20;
const ordinaryNice = constants.priority.PRIORITY_NORMAL;

/** Of the threads in which Node.js opens files and V8 collects and compiles: a drain may have to wait for one of them. */
const poolThreads = new Set(['libuv-worker', 'V8Worker']);

/** Who in this thread wants it to be urgent. */
let holders = 0;

/**
 * Puts this thread before others, so that the ring of samples is emptied in time on a host where thousands of threads want to run, and with it
 * those that it may wait for. Threads and processes that it starts are ordinary ones (SCHED_FLAG_RESET_ON_FORK). Does nothing where that is not
 * permitted, or where who started us wants us behind others. Answers how to undo it, which is
 * done when all who asked for it have called theirs.
 */
export async function beUrgent(): Promise<() => void> {
  if (holders === 0 && (getPriority() !== ordinaryNice || !schedule(urgentNice, true))) return () => undefined;
  holders++;
  // Now they are there.
  await stat('/');
  setPoolPriority(urgentNice);
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    if (--holders > 0) return;
    setPoolPriority(ordinaryNice);
    schedulePriority(ordinaryNice, false);
  };
}

function setPoolPriority(nice: number): void {
  for (const tid of readdirSync('/proc/self/task')) {
    if (poolThreads.has(readFileSync(`/proc/self/task/${tid}/comm`, 'utf8').trimEnd())) setPriority(Number(tid), nice);
  }
}

/** Threads that `start` creates are as urgent as this one. */
export function startUrgently<T>(start: () => T): T {
  const isUrgent = getPriority() === urgentNice && schedule(urgentNice, false);
  try {
    return start();
  } finally {
    if (isUrgent) schedulePriority(urgentNice, true);
  }
}

/** False where it is not permitted. */
function schedule(nice: number, resetOnFork: boolean): boolean {
  try {
    schedulePriority(nice, resetOnFork);
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}
