import { Worker } from 'node:worker_threads';
import type { LossCounters } from '../health/counters.ts';
import type { TableReply, TableRequest } from './table-messages.ts';

/** A worker that has nothing to do for so long is ended: most tables are made in the first seconds, and it has 20 MB. */
const idleMs = 5000;
/** The largest executables take seconds. A worker that is silent for this long is replaced. */
const patienceMs = 60_000;
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 };

type Unnumbered<R extends TableRequest> = R extends TableRequest ? Omit<R, 'id'> : never;

/** Talks with the worker that makes tables: starts it when there is something to do, and ends it afterwards. */
export class TableClient {
  readonly #losses: LossCounters;
  readonly #waiting = new Map<number, (reply: TableReply | undefined) => void>();
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #isClosed = false;

  constructor(losses: LossCounters) {
    this.#losses = losses;
  }

  /** `undefined` where the worker died over it or the client is closed. */
  request(request: Unnumbered<TableRequest>): Promise<TableReply | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      worker.ref();
      this.#watch();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ ...request, id });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end();
  }

  #start(): Worker {
    const worker = new Worker(new URL('table-worker.ts', import.meta.url), {
      name: 'everflame-tables',
      resourceLimits,
    });
    worker.on('message', (reply: TableReply) => {
      if (worker !== this.#worker) return;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
      this.#watch();
      if (this.#waiting.size === 0) worker.unref();
    });
    // 'exit' follows, and deals with it.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (worker !== this.#worker) return;
      this.#losses.add('reads_failed', 'table_worker');
      void this.#end();
    });
    return worker;
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const isIdle = this.#waiting.size === 0;
    this.#timer = setTimeout(
      () => {
        if (!isIdle) this.#losses.add('reads_failed', 'table_worker');
        void this.#end();
      },
      isIdle ? idleMs : patienceMs,
    ).unref();
  }

  /** What waits is answered with `undefined`. */
  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const settle of waiting) settle(undefined);
    await worker?.terminate();
  }
}
