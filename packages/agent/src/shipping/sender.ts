import type { LossCounters } from '../health/counters.ts';
import { backoffDelayMs, type BackoffOptions } from './backoff.ts';
import type { DiskQueue, QueueEntry } from './disk-queue.ts';
import { Signal } from './signal.ts';
import type { PostOutcome, WriteClient } from './write-client.ts';

export interface SenderOptions {
  readonly queue: DiskQueue;
  readonly client: WriteClient;
  readonly backoff: BackoffOptions;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly losses: LossCounters;
  readonly log: (line: string) => void;
  /** For messages. */
  readonly serverName: string;
}

/** Totals since the start. */
export interface SenderTotals {
  readonly sentBatches: number;
  readonly sentBytes: number;
  readonly failedAttempts: number;
  /** Unix milliseconds of the last accepted batch. */
  readonly lastSentMs: number | null;
  /** Why the last attempt failed; null after a success. */
  readonly lastFailure: string | null;
}

/** Empties the queue: oldest first, one batch at a time, each until the server has taken or refused it. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #work = new Signal();
  readonly #retry = new Signal();
  readonly #stop = new AbortController();
  readonly #idleWaiters = new Set<() => void>();
  readonly #done: Promise<void>;
  #failures = 0;
  #totals = {
    sentBatches: 0,
    sentBytes: 0,
    failedAttempts: 0,
    lastSentMs: null as number | null,
    lastFailure: null as string | null,
  };

  /** Begins at once. */
  constructor(options: SenderOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  totals(): SenderTotals {
    return { ...this.#totals };
  }

  /** There is a new batch. */
  notify(): void {
    this.#work.notify();
  }

  /** Ends the present wait, if any, and resolves when the queue is empty or the sender was stopped. */
  async drained(): Promise<void> {
    if (this.#options.queue.length === 0 || this.#stop.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idleWaiters.add(resolve);
    this.#failures = 0;
    this.#retry.notify();
    await promise;
  }

  /** Ends the attempt in flight; its batch stays in the queue. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#work.notify();
    this.#retry.notify();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const entry = this.#options.queue.head();
      if (entry === undefined) {
        this.#releaseWaiters();
        await this.#work.wait();
      } else {
        await this.#sendOne(entry);
      }
    }
    this.#releaseWaiters();
  }

  #releaseWaiters(): void {
    for (const release of this.#idleWaiters) release();
    this.#idleWaiters.clear();
  }

  async #sendOne(entry: QueueEntry): Promise<void> {
    const { queue, losses, log } = this.#options;
    queue.setInFlight(entry);
    const outcome = await this.#attempt(entry);
    switch (outcome.kind) {
      case 'accepted':
        await this.#succeeded(entry);
        break;
      case 'refused':
        losses.add('batches_dropped', 'refused');
        log(`shipping: ${this.#options.serverName} refused a batch (${outcome.status}): ${outcome.detail}; dropped it`);
        this.#failures = 0;
        await queue.remove(entry);
        break;
      case 'damaged':
        losses.add('batches_dropped', 'queue_damaged');
        log(`queue: a batch is damaged: ${outcome.reason}; removed`);
        await queue.remove(entry);
        break;
      case 'failed':
        // While it waits it may be evicted: only an attempt that runs may succeed unseen.
        queue.setInFlight(undefined);
        await this.#failed(outcome.reason, outcome.retryAfterMs);
        return;
    }
    queue.setInFlight(undefined);
  }

  async #attempt(entry: QueueEntry): Promise<PostOutcome | { readonly kind: 'damaged'; readonly reason: string }> {
    try {
      const file = await this.#options.queue.read(entry);
      if (file.kind === 'damaged') return file;
      return await this.#options.client.post(file.payload, this.#stop.signal);
    } catch (error) {
      return { kind: 'failed', reason: `the queue cannot be read: ${String(error)}`, retryAfterMs: 0 };
    }
  }

  async #succeeded(entry: QueueEntry): Promise<void> {
    if (this.#totals.lastFailure !== null)
      this.#options.log(`shipping: ${this.#options.serverName} takes batches again`);
    this.#failures = 0;
    this.#totals.sentBatches++;
    this.#totals.sentBytes += entry.bytes;
    this.#totals.lastSentMs = Date.now();
    this.#totals.lastFailure = null;
    await this.#options.queue.remove(entry);
  }

  async #failed(reason: string, retryAfterMs: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#failures++;
    this.#totals.failedAttempts++;
    // One line for an outage, and one whenever its reason changes; not one for every attempt.
    if (this.#totals.lastFailure !== reason) {
      this.#options.log(`shipping: ${this.#options.serverName} takes no batches: ${reason}; they wait on disk`);
    }
    this.#totals.lastFailure = reason;
    const { random, backoff } = this.#options;
    this.#retry.clear();
    await this.#retry.wait(backoffDelayMs(this.#failures, retryAfterMs, random, backoff));
  }
}
