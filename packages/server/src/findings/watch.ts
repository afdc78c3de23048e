import type { http } from '@everflame/protocols';
import { Refused } from '../problem.ts';
import type { Look } from './candidates.ts';
import type { FindingsStore } from './findings-store.ts';
import { nextLook } from './look-schedule.ts';
import { type AskedOverTime, overTimeEveryMs } from './over-time.ts';
import { compareParameters, type Pair, pairsOf, withRanges } from './pairs.ts';
import { askedFunctions, closeSubject, type FindingEvent, reconcile, type Subject, subjectKey } from './reconcile.ts';

/** What a watch asks; in the server, the readers' threads. */
export interface WatchQuestions {
  deployments(): Promise<http.DeploymentsAnswer>;
  /** `compare` are parameters of /api/v1/compare. */
  look(
    service: string,
    names: readonly [before: string, after: string],
    compare: Readonly<Record<string, string>>,
    asked: readonly (readonly [name: string, file: string])[],
  ): Promise<Look>;
  overTime(
    service: string,
    environment: string,
    untilMs: number,
    deployments: readonly number[],
    asked: readonly AskedOverTime[],
  ): Promise<Look>;
}

export interface WatchOptions {
  readonly store: FindingsStore;
  readonly questions: WatchQuestions;
  /** Called within the transaction that stores the findings. */
  readonly notify: (events: readonly FindingEvent[], nowMs: number) => void;
  readonly log: (line: string) => void;
}

/** What a question may be refused for without a fault: there are no samples (yet), or too much is asked for just now. */
const notYet = new Set(['no_samples', 'unknown_version', 'no_exposure', 'busy']);

/** One pass after another over all services: which looks are due, what they show, what has gone away. */
export class Watch {
  readonly #options: WatchOptions;
  #failed = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Looks that failed since the start. */
  get failed(): number {
    return this.#failed;
  }

  /** `isClosing` is asked between two questions. */
  async pass(nowMs: number, isClosing: () => boolean = () => false): Promise<void> {
    const answer = await this.#options.questions.deployments();
    const pairs = pairsOf(answer, nowMs);
    for (const pair of pairs) {
      if (isClosing()) return;
      await this.#guarded(`${pair.subject.service} ${pair.after}`, async () => this.#lookAt(pair, nowMs));
    }
    this.#closeOthers(pairs, nowMs);
    for (const [key, starts] of servicesOf(answer, nowMs)) {
      if (isClosing()) return;
      const [service = '', environment = ''] = JSON.parse(key) as string[];
      await this.#guarded(`${service} over time`, async () => this.#overTime(service, environment, starts, nowMs));
    }
  }

  async #lookAt(pair: Pair, nowMs: number): Promise<void> {
    const { store, questions, notify } = this.#options;
    const key = subjectKey(pair.subject);
    const { looks, doneMs } = store.look(key);
    const spanMs = nextLook(doneMs, pair.untilMs - pair.fromMs);
    if (spanMs === null) return;
    const parameters = compareParameters(pair, spanMs, looks + 1);
    const asked = askedFunctions(store, pair.subject);
    const look = await questions.look(pair.subject.service, [pair.before, pair.after], parameters, asked);
    const subject = { ...pair.subject, link: withRanges(pair.subject.link, parameters) };
    store.transaction(() => {
      notify(reconcile(store, subject, look, looks + 1, nowMs), nowMs);
      store.setLook(key, { looks: looks + 1, doneMs: spanMs }, nowMs);
      store.count('looks');
      if (look.more > 0) store.count('findings_left_out', look.more);
    });
  }

  /** Open findings of deployments that are no longer the current ones. */
  #closeOthers(pairs: readonly Pair[], nowMs: number): void {
    const { store, notify } = this.#options;
    const current = new Set(pairs.filter((pair) => pair.isCurrent).map(({ subject }) => subjectKey(subject)));
    for (const key of store.openSubjects()) {
      const [kind] = JSON.parse(key) as string[];
      if (kind !== 'deployment' || current.has(key)) continue;
      store.transaction(() => notify(closeSubject(store, key, nowMs), nowMs));
    }
  }

  async #overTime(service: string, environment: string, starts: readonly number[], nowMs: number): Promise<void> {
    const { store, questions, notify } = this.#options;
    const atMs = Math.trunc(nowMs);
    const subject: Subject = {
      kind: 'over_time',
      service,
      environment,
      before: null,
      after: null,
      atMs,
      link: `/flamegraph?${new URLSearchParams({ query: `{service_name=${JSON.stringify(service)}}` }).toString()}`,
    };
    const key = subjectKey(subject);
    const { looks, doneMs } = store.look(key);
    if (nowMs - doneMs < overTimeEveryMs) return;
    const open = [...store.ofSubject(key).values()].filter(({ state }) => state === 'open');
    const asked = open.flatMap(({ function: name, file, part, openedChange }): AskedOverTime[] =>
      part === null || openedChange === null ? [] : [{ name, file, before: part / openedChange }],
    );
    const look = await questions.overTime(service, environment, nowMs, starts, asked);
    store.transaction(() => {
      notify(reconcile(store, subject, look, looks + 1, nowMs), nowMs);
      store.setLook(key, { looks: looks + 1, doneMs: nowMs }, nowMs);
      store.count('looks');
    });
  }

  /** One service that cannot be looked at does not keep the others from it; the next pass tries again. */
  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof Refused && notYet.has(error.problem.code)) return;
      this.#failed++;
      const reason = error instanceof Refused ? `${error.problem.code}: ${error.message}` : String(error);
      this.#options.log(`a look at ${what} failed: ${reason}`);
    }
  }
}

/** Services that are live, with the times of their deployments. */
function servicesOf({ deployments }: http.DeploymentsAnswer, nowMs: number): ReadonlyMap<string, readonly number[]> {
  const starts = new Map<string, number[]>();
  const live = new Set<string>();
  for (const { service, environment, lastSeen, periods } of deployments) {
    const key = JSON.stringify([service, environment]);
    if (lastSeen !== null && lastSeen > nowMs - 10 * 60_000) live.add(key);
    starts.set(key, [...(starts.get(key) ?? []), ...periods.flatMap(({ from, until }) => [from, until])]);
  }
  return new Map([...live].map((key) => [key, starts.get(key) ?? []]));
}
