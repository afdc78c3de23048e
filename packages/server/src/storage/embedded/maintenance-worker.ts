/** The thread that keeps the store in order. It rests as long as it has worked, so that it takes half a CPU at most, unless epochs wait for it. */
import { parentPort, workerData } from 'node:worker_threads';
import { Garbage } from '../../garbage.ts';
import { StorageError } from '../storage.ts';
import { Maintenance } from './maintenance.ts';
import type { Retention } from './retention.ts';

export interface MaintenanceWorkerData {
  readonly dataDir: string;
  readonly retention: Retention;
}
export type MaintenanceReply =
  | { readonly kind: 'closed' }
  /** After a failure. */
  | { readonly kind: 'recovered' }
  | { readonly kind: 'failed'; readonly message: string };

/** This thread has time: what it holds counts for more. */
const worthBytes = 24 * 1024 * 1024;
const idleMs = 1000;
/** After the disk refused. */
const retryMs = 10_000;

const { dataDir, retention } = workerData as MaintenanceWorkerData;
const garbage = new Garbage();
let maintenance: Maintenance | null = null;
let hasFailed = false;
let timer = setTimeout(work, 0);

function work(): void {
  const startedAt = performance.now();
  let waitMs: number;
  try {
    maintenance ??= new Maintenance(dataDir, retention, () => garbage.collectIfMuch(worthBytes));
    if (maintenance.step(Date.now())) {
      waitMs = maintenance.isBehind ? 0 : performance.now() - startedAt;
      garbage.collectIfMuch(worthBytes);
    } else {
      waitMs = idleMs;
      garbage.collectAtRest();
    }
    if (hasFailed) say({ kind: 'recovered' });
    hasFailed = false;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    hasFailed = true;
    say({ kind: 'failed', message: error.message });
    waitMs = retryMs;
  }
  timer = setTimeout(work, waitMs);
}

function say(reply: MaintenanceReply): void {
  parentPort?.postMessage(reply, []);
}

parentPort?.on('message', () => {
  clearTimeout(timer);
  maintenance?.close();
  say({ kind: 'closed' });
  parentPort?.close();
});
