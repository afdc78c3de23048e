import { Worker } from 'node:worker_threads';
import { endWorker } from '../end-worker.ts';
import type { LossCounters } from '../health/counters.ts';
import type { ReplyEnvelope, ReplyOf, SymbolRequest, SymbolWorkerOptions } from './worker-messages.ts';

/** An answer takes milliseconds, a huge file some seconds. A worker that is silent for this long is replaced. */
const patienceMs = 60_000;
/** MB of JavaScript heap; tables live outside of it. Small young space: what the worker makes is either short or typed arrays. */
const resourceLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4, stackSizeMb: 4 };

interface Waiting {
  readonly kind: SymbolRequest['kind'];
  readonly settle: (reply: ReplyOf[keyof ReplyOf] | undefined) => void;
}

/**
 * Talks with the symbol worker: starts it at the first request, starts another one if it dies or hangs, and then answers what was
 * waiting with `undefined`.
 */
export class SymbolClient {
  readonly #options: SymbolWorkerOptions;
  readonly #losses: LossCounters;
  readonly #onEvicted: (keys: readonly string[]) => void;
  readonly #onLost: () => void;
  readonly #idleMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #nextId = 1;
  #isClosed = false;

  /**
   * `onEvicted` hears of modules that must be loaded again, `onLost` that all of them must. A worker that is asked nothing for `idleMs`
   * is ended, with what it has read.
   */
  constructor(
    options: SymbolWorkerOptions,
    losses: LossCounters,
    onEvicted: (keys: readonly string[]) => void,
    onLost: () => void,
    idleMs = Infinity,
  ) {
    this.#options = options;
    this.#losses = losses;
    this.#onEvicted = onEvicted;
    this.#onLost = onLost;
    this.#idleMs = idleMs;
  }

  /** `undefined` where the worker died over it or the client is closed. */
  request<R extends SymbolRequest>(request: R): Promise<ReplyOf[R['kind']] | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, {
        kind: request.kind,
        settle: (reply) => resolve(reply as ReplyOf[R['kind']] | undefined),
      });
      worker.ref();
      this.#watch();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ id, request });
    });
  }

  /** Whether anything was asked yet. */
  get isStarted(): boolean {
    return this.#worker !== undefined;
  }

  /** What waits is answered with `undefined`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#settleAll();
    if (worker !== undefined) await endWorker(worker);
  }

  #start(): Worker {
    const worker = new Worker(new URL('symbol-worker.ts', import.meta.url), {
      name: 'everflame-symbols',
      workerData: this.#options,
      resourceLimits,
    });
    worker.on('message', (envelope: ReplyEnvelope) => this.#receive(worker, envelope));
    // 'exit' follows, and deals with it.
    worker.on('error', () => undefined);
    worker.on('exit', () => this.#lose(worker));
    worker.unref();
    return worker;
  }

  #receive(worker: Worker, { id, reply, losses, evicted }: ReplyEnvelope): void {
    if (worker !== this.#worker) return;
    if (losses.perf_map > 0) this.#losses.add('reads_failed', 'perf_map', losses.perf_map);
    if (losses.debug_info > 0) this.#losses.add('reads_failed', 'debug_info', losses.debug_info);
    if (losses.kallsyms > 0) this.#losses.add('reads_failed', 'kallsyms', losses.kallsyms);
    if (evicted.length > 0) this.#onEvicted(evicted);
    this.#waiting.get(id)?.settle(reply);
    this.#waiting.delete(id);
    this.#watch();
    if (this.#waiting.size === 0) worker.unref();
  }

  /** (Re)starts the clock for as long as something waits. */
  #watch(): void {
    clearTimeout(this.#watchdog);
    if (this.#waiting.size === 0) {
      if (this.#idleMs !== Infinity) this.#watchdog = setTimeout(() => this.#rest(), this.#idleMs).unref();
      return;
    }
    this.#watchdog = setTimeout(() => {
      const worker = this.#worker;
      if (worker === undefined) return;
      this.#lose(worker);
      void worker.terminate();
    }, patienceMs).unref();
  }

  #rest(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#onLost();
    if (worker !== undefined) void endWorker(worker);
  }

  #lose(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#losses.add('reads_failed', 'symbol_worker');
    this.#onLost();
    this.#settleAll();
  }

  #settleAll(): void {
    clearTimeout(this.#watchdog);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { settle } of waiting) settle(undefined);
  }
}
