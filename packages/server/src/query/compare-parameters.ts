import type { Matcher, Selector } from '@everflame/profile';
import { Refused } from '../problem.ts';
import type { StorageReader, TimeRange, VersionFact } from '../storage/storage.ts';
import { type Parameters, present, readSelector, readTimeRange, required } from './parameters.ts';

export type SideName = 'before' | 'after';
/** By name of the unit. */
export type RequestCounts = ReadonlyMap<string, number>;

/** Which samples a side of a comparison is, before it is looked at what is stored. */
export interface CompareSide {
  /** What it is called in sentences: its version. */
  readonly name: string;
  /** null when the side is a selector of any kind. */
  readonly version: string | null;
  readonly selector: Selector;
  readonly range: TimeRange;
  /** Start of the oldest profile that may be of this side, Unix ms. */
  readonly sinceMs: number;
}

export interface CompareQuestion {
  readonly service: string;
  readonly before: CompareSide;
  readonly after: CompareSide;
  readonly normalisation: 'share' | 'cores' | 'request';
  /** Requests by unit of each side; null when nobody says them. */
  readonly requests: { readonly before: RequestCounts | null; readonly after: RequestCounts | null };
  readonly minEffect: number;
  readonly q: number;
  readonly look: number | null;
  /** Most past comparisons that are looked for. */
  readonly past: number;
}

/** How much of each version is compared when nothing is said: its last hour and what lies before it of that hour of the clock, so that sums by the hour serve. */
const defaultSpanMs = 3_600_000;
const hourMs = 3_600_000;
export const maxPast = 14;

/**
 * What is to be compared: two versions of a service, or two selectors and ranges as `/diff` takes them; both may be mixed, a version being two more
 * matchers.
 *
 * @throws Refused 400 for what cannot be read, 404 `unknown_version`
 */
export async function readCompareQuestion(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
): Promise<CompareQuestion> {
  const isOfVersions = present(parameters, 'before') !== undefined || present(parameters, 'after') !== undefined;
  const service = isOfVersions
    ? required(parameters, 'service', 'the service whose versions before and after are')
    : (present(parameters, 'service') ?? '');
  const versions = isOfVersions ? await storage.versions() : [];
  const oldestMs = isOfVersions ? null : (await storage.status()).oldestMs;
  const env = present(parameters, 'env');
  const side = (name: SideName): CompareSide => {
    const version = isOfVersions ? required(parameters, name, `the version ${name} the change`) : undefined;
    const selector = readSelector(parameters, `${name}_`);
    const labels = { service_name: service || undefined, service_version: version, deployment_environment_name: env };
    const more = Object.entries(labels).flatMap(([label, value]): Matcher[] =>
      value === undefined ? [] : [{ name: label, operator: '=', value }],
    );
    const whole = { ...selector, matchers: [...selector.matchers, ...more] };
    const saysTime = ['from', 'until', `${name}_from`, `${name}_until`].some(
      (one) => present(parameters, one) !== undefined,
    );
    const seen = version === undefined ? null : spanOf(versions, service, version, env);
    const range =
      saysTime || version === undefined
        ? readTimeRange(parameters, nowMs, `${name}_`)
        : lastHourOf(seen, versions, service, version);
    return {
      name: version ?? name,
      version: version ?? null,
      selector: whole,
      range,
      sinceMs: seen?.fromMs ?? oldestMs ?? range.fromMs,
    };
  };
  return {
    service,
    before: side('before'),
    after: side('after'),
    normalisation: readNormalisation(parameters),
    requests: {
      before: readRequests(parameters, 'before_requests'),
      after: readRequests(parameters, 'after_requests'),
    },
    minEffect: readPart(parameters, 'min_effect', 0.02, 10),
    q: readPart(parameters, 'q', 0.05, 1),
    look: present(parameters, 'look') === undefined ? null : readCount(parameters, 'look', 1, 1, 10_000),
    past: readCount(parameters, 'past', maxPast, 0, maxPast),
  };
}

function spanOf(
  versions: readonly VersionFact[],
  service: string,
  version: string,
  env: string | undefined,
): TimeRange | null {
  const seen = versions.filter(
    (one) => one.service === service && one.version === version && (env === undefined || one.environment === env),
  );
  if (seen.length === 0) return null;
  // A profile belongs to a range by its start, which may be its end.
  return {
    fromMs: Math.min(...seen.map(({ firstMs }) => firstMs)),
    untilMs: Math.max(...seen.map(({ lastMs }) => lastMs)) + 1,
  };
}

function lastHourOf(
  seen: TimeRange | null,
  versions: readonly VersionFact[],
  service: string,
  version: string,
): TimeRange {
  if (seen !== null) {
    const fromMs = Math.floor((seen.untilMs - defaultSpanMs) / hourMs) * hourMs;
    return { fromMs: Math.max(seen.fromMs, fromMs), untilMs: seen.untilMs };
  }
  const known = versions
    .filter((one) => one.service === service)
    .toSorted((a, b) => b.lastMs - a.lastMs)
    .map((one) => one.version);
  const hint =
    known.length === 0
      ? 'and of no other version; see /api/v1/deployments'
      : `known are ${[...new Set(known)].slice(0, 10).join(', ')}`;
  throw new Refused(404, 'unknown_version', `no profile of ${service} ${version} is stored: ${hint}`, 'version');
}

/** @throws Refused 400 `bad_value`, `no_requests` */
function readNormalisation(parameters: Parameters): CompareQuestion['normalisation'] {
  const text = present(parameters, 'normalisation') ?? 'share';
  if (text === 'share' || text === 'cores') return text;
  if (text === 'request') {
    for (const name of ['before_requests', 'after_requests'])
      required(parameters, name, 'how many requests each unit served, host-1=1200,host-2=1300');
    return text;
  }
  const detail = `normalisation is ${JSON.stringify(text)}: give share, cores or request`;
  throw new Refused(400, 'bad_value', detail, 'normalisation');
}

/** `host-1=1200,host-2=1300`; a name may have a `=` in it, since the number has none. */
function readRequests(parameters: Parameters, name: string): RequestCounts | null {
  const text = present(parameters, name);
  if (text === undefined) return null;
  const counts = new Map<string, number>();
  for (const pair of text.split(',')) {
    const at = pair.lastIndexOf('=');
    const [unit, count] = [pair.slice(0, at), Number(pair.slice(at + 1))];
    const isRight = at > 0 && /^[0-9]{1,15}$/.test(pair.slice(at + 1)) && count > 0 && !counts.has(unit);
    if (!isRight) {
      const detail = `${name} has ${JSON.stringify(pair)}: give each unit once with its requests, host-1=1200,host-2=1300`;
      throw new Refused(400, 'bad_value', detail, name);
    }
    counts.set(unit, count);
  }
  return counts;
}

/** `2%` or `0.02`. */
function readPart(parameters: Parameters, name: string, fallback: number, below: number): number {
  const text = present(parameters, name);
  if (text === undefined) return fallback;
  const match = /^(?<number>[0-9]{1,6}(?:\.[0-9]{1,12})?)(?<percent>%?)$/.exec(text);
  const value = Number(match?.groups?.['number']) / (match?.groups?.['percent'] === '%' ? 100 : 1);
  if (match !== null && value > (name === 'q' ? 0 : -1) && value < below) return value;
  const range = name === 'q' ? 'above 0 and below 1' : `from 0 to below ${below * 100}%`;
  throw new Refused(400, 'bad_value', `${name} is ${JSON.stringify(text)}: give a part ${range}, 2% or 0.02`, name);
}

function readCount(parameters: Parameters, name: string, fallback: number, least: number, most: number): number {
  const text = present(parameters, name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^[0-9]{1,6}$/.test(text) && value >= least && value <= most) return value;
  throw new Refused(
    400,
    'bad_value',
    `${name} is ${JSON.stringify(text)}: give a whole number from ${least} to ${most}`,
    name,
  );
}
