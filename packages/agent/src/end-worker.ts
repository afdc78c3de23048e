import type { Worker } from 'node:worker_threads';

/** The message by which a worker is told to end itself. */
export const endOfWork = 'end';

/** A worker that has not ended by then is stopped by force. */
const graceMs = 1000;

/**
 * Ends a worker between two of its steps; by force where it is amid a long one. Node.js 24 aborts the process when a thread is stopped while it makes a zstd
 * stream, and names are kept compressed.
 */
export async function endWorker(worker: Worker): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  worker.once('exit', () => resolve());
  worker.postMessage(endOfWork, []);
  const timer = setTimeout(() => void worker.terminate().then(() => resolve()), graceMs);
  await promise;
  clearTimeout(timer);
}
