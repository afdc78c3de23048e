import { createHmac } from 'node:crypto';
import type { http } from '@everflame/protocols';
import type { Delivery, FindingsStore } from '../findings-store.ts';
import { type Webhook, webhookId, webhookName } from './webhook.ts';
import { webhookBody } from './webhook-body.ts';

/** Events that wait for one webhook; beyond it the oldest go. */
export const mostWaiting = 1000;
const timeoutMs = 10_000;
/** 1, 2, 4 … seconds, up to ten minutes: an outage of two days is about 300 attempts. */
const firstPauseMs = 1000;
const longestPauseMs = 10 * 60_000;
const mostAgeMs = 48 * 3_600_000;
/** When the queue is empty, and when another process fills it. */
const idleMs = 60_000;

export interface WebhookSenderOptions {
  readonly store: FindingsStore;
  readonly webhook: Webhook;
  readonly version: string;
  readonly log: (line: string) => void;
  /** For tests. */
  readonly pauses?: { readonly firstMs: number; readonly longestMs: number };
}

/**
 * Sends the queue of one webhook, in order, until it is taken or given up. A signature is `x-everflame-signature: t=SECONDS,v1=HEX`, the HMAC-SHA256 of
 * `SECONDS.BODY`: a receiver that compares the time as well cannot be sent an old message again.
 *
 * Only the configured address is ever asked: redirects count as refusals, and an answer's body is not read.
 */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #id: string;
  readonly #stop = new AbortController();
  #wake: () => void = () => undefined;
  #failedAttempts = 0;
  readonly #done: Promise<void>;

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
    this.#id = webhookId(options.webhook);
    this.#done = this.#run();
  }

  wants({ verdict }: http.Finding): boolean {
    return this.#options.webhook.events === 'all' || verdict === 'regressed' || verdict === 'new';
  }

  /** Within a transaction of the store. `wake` is called after it. */
  enqueue(event: http.WebhookEvent, nowMs: number): void {
    this.#options.store.enqueue(this.#id, event, nowMs, mostWaiting);
  }

  wake(): void {
    this.#wake();
  }

  status(): http.FindingsAnswer['watch']['webhooks'][number] {
    const { store, webhook } = this.#options;
    return {
      name: webhookName(webhook),
      waiting: store.waiting(this.#id),
      delivered: store.tally(`delivered ${this.#id}`),
      failedAttempts: this.#failedAttempts,
      dropped: store.tally(`dropped ${this.#id}`),
    };
  }

  /** Ends the attempt that is under way; what waits is kept. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#step();
      } catch (error) {
        // A full disk, for example: what waits is still there, and is tried again.
        this.#failedAttempts++;
        this.#options.log(`webhook ${webhookName(this.#options.webhook)}: ${reasonOf(error)}; it will be tried again`);
        await this.#pause(idleMs);
      }
    }
  }

  async #step(): Promise<void> {
    const delivery = this.#options.store.firstDelivery(this.#id);
    const nowMs = Date.now();
    if (delivery === undefined) await this.#pause(idleMs);
    else if (delivery.nextMs > nowMs) await this.#pause(Math.min(delivery.nextMs - nowMs, idleMs));
    else await this.#attempt(delivery);
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const { store, webhook, log, pauses } = this.#options;
    const outcome = await this.#post(delivery);
    if (this.#stop.signal.aborted && outcome !== 'taken') return;
    if (outcome === 'taken') {
      store.transaction(() => {
        store.deleteDelivery(delivery.id);
        store.count(`delivered ${this.#id}`);
      });
      return;
    }
    this.#failedAttempts++;
    const nowMs = Date.now();
    const isOver = outcome.isFinal || nowMs - delivery.createdMs > mostAgeMs;
    // Of the many attempts during an outage the first is said.
    if (delivery.attempts === 0 || isOver) {
      log(
        `webhook ${webhookName(webhook)}: ${outcome.reason}${isOver ? '; the event is dropped' : '; it will be tried again'}`,
      );
    }
    if (isOver) {
      store.transaction(() => {
        store.deleteDelivery(delivery.id);
        store.count(`dropped ${this.#id}`);
      });
      return;
    }
    const { firstMs, longestMs } = pauses ?? { firstMs: firstPauseMs, longestMs: longestPauseMs };
    const fullMs = Math.min(firstMs * 2 ** Math.min(delivery.attempts, 30), longestMs);
    // Half of it by chance, so that servers do not come all at once when a receiver is back.
    store.postpone(delivery.id, delivery.attempts + 1, nowMs + fullMs * (0.5 + Math.random() / 2));
  }

  async #post({ id, event }: Delivery): Promise<'taken' | { readonly isFinal: boolean; readonly reason: string }> {
    const { webhook, version } = this.#options;
    const body = webhookBody(webhook.kind, event);
    const seconds = String(Math.floor(Date.now() / 1000));
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'user-agent': `everflame/${version}`,
      'x-everflame-delivery': String(id),
      'x-everflame-event': event.event,
    };
    if (webhook.secret !== null) {
      const signature = createHmac('sha256', webhook.secret).update(`${seconds}.${body}`).digest('hex');
      headers['x-everflame-signature'] = `t=${seconds},v1=${signature}`;
    }
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const response = await fetch(webhook.url, { method: 'POST', headers, body, redirect: 'manual', signal });
      await response.body?.cancel();
      if (response.ok) return 'taken';
      const { status } = response;
      // Too early, too much, a fault of theirs: later. Anything else will not become right by repetition.
      const isFinal = status < 500 && status !== 408 && status !== 425 && status !== 429;
      return { isFinal, reason: `it answered ${status}` };
    } catch (error) {
      return { isFinal: false, reason: `no answer (${reasonOf(error)})` };
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The code, never the message: that may have the address in it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const cause = error.cause instanceof Error ? error.cause : error;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
