import type { http } from '@everflame/protocols';
import type { Subject } from './reconcile.ts';

/** Two versions of which one has taken, or shall take, the place of the other. */
export interface Pair {
  readonly subject: Subject;
  readonly before: string;
  readonly after: string;
  readonly fromMs: number;
  /** End of what there is of the version after, at most now. */
  readonly untilMs: number;
  /** It still runs, or it stopped and nothing else runs. */
  readonly isCurrent: boolean;
  /** Their profiles carry no versions: they are told apart by time. */
  readonly isMarked: boolean;
}

/** Older deployments are history: their last look was made. */
const mostAgeMs = 3 * 24 * 3_600_000;
/** A service that is silent for less may only have lost its agents. */
const mostSilenceMs = 3_600_000;

/** What is to be compared: of each version its last period, when it took the place of another. */
export function pairsOf({ deployments }: http.DeploymentsAnswer, nowMs: number): Pair[] {
  return deployments.flatMap((row): Pair[] => {
    const period = row.periods.at(-1);
    if (period === undefined || period.replaces === null || period.from < nowMs - mostAgeMs) return [];
    const { service, environment } = row;
    const before = period.replaces;
    const after = row.version;
    const isEnded = period.state === 'ended' && period.until < nowMs - mostSilenceMs;
    const compared = { service, before, after, ...(environment === '' ? {} : { env: environment }) };
    return [
      {
        subject: {
          kind: 'deployment',
          service,
          environment,
          before,
          after,
          atMs: period.from,
          link: `/compare?${new URLSearchParams(compared).toString()}`,
        },
        before,
        after,
        fromMs: period.from,
        untilMs: period.state === 'live' ? nowMs : period.until,
        isCurrent: !isEnded && period.state !== 'replaced' && period.state !== 'withdrawn',
        isMarked: row.firstSeen === null,
      },
    ];
  });
}

/**
 * Parameters of /api/v1/compare: as long before the deployment as after it. Hosts that stay on the old version, as beside a canary, are the controls of that
 * comparison.
 */
export function compareParameters(pair: Pair, spanMs: number, look: number): Record<string, string> {
  const { fromMs, isMarked, subject, before, after } = pair;
  const time = (ms: number): string => String(Math.trunc(ms));
  const ranges = {
    before_from: time(fromMs - spanMs),
    before_until: time(fromMs),
    after_from: time(fromMs),
    after_until: time(fromMs + spanMs),
    look: String(look),
  };
  const service = `service_name=${JSON.stringify(subject.service)}`;
  const environment = `deployment_environment_name=${JSON.stringify(subject.environment)}`;
  const selector = `{${isMarked ? `${service}, ` : ''}${environment}}`;
  const sides = { ...ranges, before_query: selector, after_query: selector };
  return isMarked ? sides : { ...sides, service: subject.service, before, after };
}

/** The Compare view of exactly what was looked at, as the same of the repeated looks. */
export function withRanges(link: string, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(link, 'http://localhost');
  for (const name of ['before_from', 'before_until', 'after_from', 'after_until']) {
    const value = parameters[name];
    if (value !== undefined) url.searchParams.set(name, new Date(Number(value)).toISOString());
  }
  const { look } = parameters;
  if (look !== undefined) url.searchParams.set('look', look);
  return `${url.pathname}${url.search}`;
}
