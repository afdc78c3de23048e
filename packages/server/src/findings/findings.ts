import { setTimeout as sleep } from 'node:timers/promises';
import type { http } from '@everflame/protocols';
import { bugOf, Refused } from '../problem.ts';
import { type Parameters, present } from '../query/parameters.ts';
import type { Queries } from '../query/queries.ts';
import { FindingsStore } from './findings-store.ts';
import { waitForPass, type WriterState } from './pass-schedule.ts';
import type { FindingEvent } from './reconcile.ts';
import { Watch, type WatchQuestions } from './watch.ts';
import type { Webhook } from './webhooks/webhook.ts';
import { WebhookSender } from './webhooks/webhook-sender.ts';

export interface FindingsOptions {
  readonly dataDir: string;
  readonly questions: WatchQuestions;
  readonly webhooks: readonly Webhook[];
  readonly version: string;
  readonly log: (line: string) => void;
  /** Between the end of a pass and the next. Default a minute; 0: no passes by itself. */
  readonly everyMs?: number;
  /** What the way in does, which passes give precedence. Default: nothing is known of it. */
  readonly writer?: () => WriterState;
}

const defaultEveryMs = 60_000;

/** Findings: kept, looked for in the background, sent to webhooks. */
export class Findings {
  readonly #options: FindingsOptions;
  readonly #store: FindingsStore;
  readonly #watch: Watch;
  readonly #senders: readonly WebhookSender[];
  readonly #closing = new AbortController();
  #publicUrl = '';
  #running: Promise<void> = Promise.resolve();
  #last: { readonly atMs: number; readonly tookMs: number } | null = null;
  #passesFailed = 0;
  #lastStartMs: number | null = null;

  /** @throws StorageError */
  constructor(options: FindingsOptions) {
    const { dataDir, questions, webhooks, version, log } = options;
    this.#options = options;
    this.#store = new FindingsStore(dataDir);
    this.#senders = webhooks.map((webhook) => new WebhookSender({ store: this.#store, webhook, version, log }));
    const notify = (events: readonly FindingEvent[], nowMs: number): void => this.#notify(events, nowMs);
    this.#watch = new Watch({ store: this.#store, questions, notify, log });
  }

  /** `publicUrl` is where people find the page, for links in messages. */
  start(publicUrl: string): void {
    this.#publicUrl = publicUrl;
    const everyMs = this.#options.everyMs ?? defaultEveryMs;
    if (everyMs > 0) this.#running = this.#run(everyMs);
  }

  /** One pass over all services; by itself every minute. */
  async pass(nowMs = Date.now()): Promise<void> {
    const startMs = performance.now();
    this.#lastStartMs = Date.now();
    try {
      await this.#watch.pass(nowMs, () => this.#isClosing());
      this.#last = { atMs: Date.now(), tookMs: performance.now() - startMs };
    } finally {
      for (const sender of this.#senders) sender.wake();
    }
  }

  /** @throws Refused 400 `bad_value` */
  list(parameters: Parameters): http.FindingsAnswer {
    const state = present(parameters, 'state') ?? 'open';
    const kind = present(parameters, 'kind');
    const limit = present(parameters, 'limit') ?? '200';
    if (state !== 'open' && state !== 'closed' && state !== 'all')
      throw new Refused(400, 'bad_value', `state is ${JSON.stringify(state)}: give open, closed or all`, 'state');
    if (kind !== undefined && kind !== 'deployment' && kind !== 'over_time')
      throw new Refused(400, 'bad_value', `kind is ${JSON.stringify(kind)}: give deployment or over_time`, 'kind');
    if (!/^[0-9]{1,5}$/.test(limit) || Number(limit) < 1 || Number(limit) > 10_000)
      throw new Refused(
        400,
        'bad_value',
        `limit is ${JSON.stringify(limit)}: give a whole number from 1 to 10000`,
        'limit',
      );
    const service = present(parameters, 'service');
    const environment = parameters['environment'];
    return {
      findings: this.#store.list({ state, service, environment, kind, limit: Number(limit) }),
      watch: {
        lastPassAt: this.#last?.atMs ?? null,
        lastPassMs: this.#last?.tookMs ?? null,
        looks: this.#store.tally('looks'),
        failed: this.#watch.failed + this.#passesFailed,
        webhooks: this.#senders.map((sender) => sender.status()),
      },
    };
  }

  /** Ends after the question that is under way. What waits for webhooks is kept for the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await Promise.all(this.#senders.map(async (sender) => sender.close()));
    this.#store.close();
  }

  async #run(everyMs: number): Promise<void> {
    while (!this.#isClosing()) {
      await this.#pause(everyMs);
      await this.#waitForWriter();
      if (this.#isClosing()) return;
      try {
        await this.pass();
      } catch (error) {
        this.#passesFailed++;
        this.#options.log(`looking for findings failed: ${bugOf(error).detail}`);
      }
    }
  }

  async #waitForWriter(): Promise<void> {
    const { writer } = this.#options;
    if (writer === undefined) return;
    const dueMs = Date.now();
    while (!this.#isClosing()) {
      const waitMs = waitForPass(Date.now(), dueMs, this.#lastStartMs, writer());
      if (waitMs === 0) return;
      await this.#pause(waitMs);
    }
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#closing.signal, ref: false });
    } catch (error) {
      if (!this.#isClosing()) throw error;
    }
  }

  #notify(events: readonly FindingEvent[], nowMs: number): void {
    for (const { event, finding } of events) {
      const url = new URL(finding.link, this.#publicUrl).href;
      const message: http.WebhookEvent = { version: 1, event, sentAt: nowMs, url, finding };
      for (const sender of this.#senders) if (sender.wants(finding)) sender.enqueue(message, nowMs);
    }
  }
}

/** Asks the readers' threads. */
export function questionsOf(queries: Queries): WatchQuestions {
  const ask = async <T>(kind: string, parameters: Parameters): Promise<T> => {
    const { body } = await queries.ask({ kind, parameters, nowMs: Date.now() });
    return JSON.parse(new TextDecoder().decode(body)) as T;
  };
  const json = JSON.stringify;
  return {
    deployments: async () => ask('deployments', {}),
    look: async (service, names, compare, asked) =>
      ask('look', { service, names: json(names), compare: json(compare), asked: json(asked) }),
    overTime: async (service, environment, untilMs, deployments, asked) =>
      ask('over_time', {
        service,
        environment,
        until: String(untilMs),
        deployments: json(deployments),
        asked: json(asked),
      }),
  };
}
