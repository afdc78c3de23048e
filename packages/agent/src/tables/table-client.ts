import { Worker } from 'node:worker_threads';
import { startUrgently } from '../kernel/urgency.ts';
import { endWorker } from '../end-worker.ts';
import type { LossCounters } from '../health/counters.ts';
import type { TableReply, TableRequest } from './table-messages.ts';

/** A worker that has nothing to do for so long is ended: most tables are made in the first seconds, and it has 20 MB. */
const idleMs = 5000;
/** The largest executables take seconds. A worker that is silent for this long is replaced. */
const patienceMs = 60_000;
/** An agent that ends waits so long for what the worker does. */
const closingMs = 2000;
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 };

type Unnumbered<R extends TableRequest> = R extends TableRequest ? Omit<R, 'id'> : never;

/** Talks with the worker that makes tables: starts it when there is something to do, and ends it afterwards. */
export class TableClient {
  readonly #losses: LossCounters;
  readonly #waiting = new Map<number, (reply: TableReply | undefined) => void>();
  /** Not given to the worker yet, which has one at a time. */
  #queue: TableRequest[] = [];
  #isWorking = false;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #isClosed = false;
  #onIdle: () => void = () => undefined;

  constructor(losses: LossCounters) {
    this.#losses = losses;
  }

  /** `undefined` where the worker died over it or the client is closed. */
  request(request: Unnumbered<TableRequest>): Promise<TableReply | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#queue.push({ ...request, id });
      this.#next();
    });
  }

  /** What was asked is answered first, so that no table is left in the kernel that nobody knows of. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#waiting.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      const timer = setTimeout(resolve, closingMs);
      await promise;
      clearTimeout(timer);
    }
    await this.#end();
  }

  /** Gives the worker what takes least: the many small files of a host do not wait for its few large ones. */
  #next(): void {
    if (this.#isWorking) return;
    const request = this.#queue.toSorted((one, other) => costOf(one) - costOf(other))[0];
    if (request === undefined) return;
    this.#queue = this.#queue.filter((each) => each !== request);
    const worker = (this.#worker ??= this.#start());
    this.#isWorking = true;
    worker.ref();
    this.#watch();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(request);
  }

  #start(): Worker {
    // What waits for a table is copied meanwhile, which costs more than to be done with it.
    const url = new URL('table-worker.ts', import.meta.url);
    const worker = startUrgently(() => new Worker(url, { name: 'everflame-tables', resourceLimits }));
    worker.on('message', (reply: TableReply) => {
      if (worker !== this.#worker) return;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
      this.#isWorking = false;
      this.#next();
      this.#watch();
      if (this.#waiting.size > 0) return;
      worker.unref();
      this.#onIdle();
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
    this.#queue = [];
    this.#isWorking = false;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const settle of waiting) settle(undefined);
    if (worker !== undefined) await endWorker(worker);
  }
}

function costOf(request: TableRequest): number {
  return request.kind === 'make' ? request.size : 0;
}
