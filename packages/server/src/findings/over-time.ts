import { type Funnel, type MinuteSeries, regressionsOverTime, type TimeFinding } from '@everflame/compare';
import type { Matcher } from '@everflame/profile';
import { cpuSelection } from '../deployments/presence.ts';
import type { Check } from '../query/budget.ts';
import { type Parameters, required } from '../query/parameters.ts';
import type { FunctionCounts, StorageReader } from '../storage/storage.ts';
import { type Candidate, functionKey, type Look, type Standing } from './candidates.ts';

const minuteMs = 60_000;
const dayMinutes = 1440;
/** Changes are looked for in six hours; two whole days before them show the daily cycle, where there are any. */
export const windowMinutes = 360;
const historyMinutes = 2 * dayMinutes;
/** A pass every half an hour sees each change twelve times before it leaves the window: each may spend a twelfth. */
export const overTimeEveryMs = 30 * minuteMs;
const q = 0.05 / (windowMinutes / 30);
/** Functions with fewer samples cannot show a change of a size that matters; of the others the largest are looked at. */
const leastSamples = 200;
const mostFunctions = 1000;
/** A change so close to a deployment is the deployment's. */
const deploymentMs = 15 * minuteMs;
/** What is asked for stands where it stood in the last hour. */
const standingMinutes = 60;

export interface AskedOverTime {
  readonly name: string;
  readonly file: string;
  /** Rate before the change. */
  readonly before: number;
}

export interface OverTimeLook extends Look {
  readonly funnel: Funnel & { readonly notLookedAt: number; readonly atDeployments: number };
}

/**
 * Changes of a service's functions without a deployment, by the funnel of packages/compare on minute counts. Parameters: `service`, `environment`, `until`
 * (ms), `deployments` (JSON: times, ms), `asked` (JSON: AskedOverTime).
 */
export async function answerOverTime(
  storage: StorageReader,
  parameters: Parameters,
  _nowMs: number,
  check: Check,
): Promise<OverTimeLook> {
  const service = required(parameters, 'service', 'a service');
  const untilMs = Math.floor(Number(required(parameters, 'until', 'a time')) / minuteMs) * minuteMs;
  const deployments = JSON.parse(parameters['deployments'] ?? '[]') as number[];
  const asked = JSON.parse(parameters['asked'] ?? '[]') as AskedOverTime[];
  const { oldestMs } = await storage.status();
  const hasHistory = oldestMs !== null && oldestMs <= untilMs - (windowMinutes + historyMinutes) * minuteMs;
  const minutes = windowMinutes + (hasHistory ? historyMinutes : 0);
  const range = { fromMs: untilMs - minutes * minuteMs, untilMs };
  const labels = { service_name: service, deployment_environment_name: parameters['environment'] ?? '' };
  const matchers = Object.entries(labels).map(([name, value]): Matcher => ({ name, operator: '=', value }));
  const counts = await storage.functionCounts(cpuSelection(range, matchers, check), minuteMs, []);
  const chosen = chooseFunctions(counts, range.untilMs - windowMinutes * minuteMs, asked);
  check();
  const series = seriesOf(counts, chosen.ids, range.fromMs, minutes);
  const from = minutes - windowMinutes;
  const domains = [...Map.groupBy(chosen.ids.keys(), (i) => counts.functions.file[chosen.ids[i] ?? 0] ?? '')]
    .filter(([file, members]) => file !== '' && members.length > 1)
    .map(([, members]) => members);
  const { findings, funnel } = regressionsOverTime({ series, from, period: dayMinutes, domains, q });
  const timeOf = (finding: TimeFinding): number => range.fromMs + finding.minute * minuteMs;
  const isDeployment = (finding: TimeFinding): boolean =>
    deployments.some((timeMs) => Math.abs(timeMs - timeOf(finding)) <= deploymentMs);
  const own = findings.filter((finding) => !isDeployment(finding));
  return {
    candidates: own.map((finding) =>
      candidateOf(service, counts, chosen.ids[finding.id] ?? 0, finding, timeOf(finding)),
    ),
    more: 0,
    asked: standingsOf(counts, chosen.ids, series, asked),
    funnel: { ...funnel, notLookedAt: chosen.left, atDeployments: findings.length - own.length },
  };
}

/** The functions with the most samples in the window, and those that are asked for. */
function chooseFunctions(
  counts: FunctionCounts,
  fromMs: number,
  asked: readonly AskedOverTime[],
): { readonly ids: readonly number[]; readonly left: number } {
  const sums = new Float64Array(counts.functions.name.length);
  for (const { timeMs, function: ids, inclusive } of counts.rows) {
    if (timeMs < fromMs) continue;
    for (const [i, id] of ids.entries()) sums[id] = (sums[id] ?? 0) + (inclusive[i] ?? 0);
  }
  const wanted = new Set(asked.map(({ name, file }) => functionKey(name, file)));
  const isWanted = (id: number): boolean =>
    wanted.has(functionKey(counts.functions.name[id] ?? '', counts.functions.file[id] ?? ''));
  const large = [...sums.keys()].filter((id) => (sums[id] ?? 0) >= leastSamples);
  large.sort((a, b) => (sums[b] ?? 0) - (sums[a] ?? 0) || a - b);
  const ids = large.slice(0, mostFunctions);
  const more = wanted.size === 0 ? [] : [...sums.keys()].filter((id) => isWanted(id) && !ids.includes(id));
  return { ids: [...ids, ...more], left: sums.length - ids.length - more.length };
}

function seriesOf(counts: FunctionCounts, ids: readonly number[], fromMs: number, minutes: number): MinuteSeries[] {
  const exposure = new Float64Array(minutes);
  const place = new Int32Array(counts.functions.name.length).fill(-1);
  for (const [i, id] of ids.entries()) place[id] = i;
  const series = ids.map(() => ({ counts: new Float64Array(minutes), exposure }));
  for (const { timeMs, samples, function: functions, inclusive } of counts.rows) {
    const minute = Math.floor((timeMs - fromMs) / minuteMs);
    if (minute < 0 || minute >= minutes) continue;
    exposure[minute] = (exposure[minute] ?? 0) + samples;
    for (const [i, id] of functions.entries()) {
      const one = series[place[id] ?? -1];
      if (one !== undefined) one.counts[minute] = (one.counts[minute] ?? 0) + (inclusive[i] ?? 0);
    }
  }
  return series;
}

function candidateOf(
  service: string,
  counts: FunctionCounts,
  id: number,
  finding: TimeFinding,
  atMs: number,
): Candidate {
  const { change, interval, before, after } = finding;
  const name = counts.functions.name[id] ?? '';
  const percent = (value: number): string => `${value >= 0 ? '+' : '−'}${Math.abs(value * 100).toFixed(1)} %`;
  const span = `${percent(interval[0])} to ${percent(interval[1])}`;
  return {
    function: name,
    file: counts.functions.file[id] ?? '',
    verdict: change > 0 ? 'regressed' : 'improved',
    change,
    interval: [interval[0], interval[1]],
    part: after - before,
    q: finding.q,
    samplesBefore: null,
    samplesAfter: null,
    units: null,
    stack: [],
    others: finding.duplicates.length,
    sentence: `${service}: ${name} changed by ${percent(change)} (${span}) at ${new Date(atMs).toISOString()}, without a deployment`,
    atMs,
  };
}

function standingsOf(
  counts: FunctionCounts,
  ids: readonly number[],
  series: readonly MinuteSeries[],
  asked: readonly AskedOverTime[],
): Record<string, Standing> {
  const places = new Map(
    ids.map((id, i) => [functionKey(counts.functions.name[id] ?? '', counts.functions.file[id] ?? ''), i]),
  );
  const standings: Record<string, Standing> = {};
  for (const { name, file, before } of asked) {
    const one = series[places.get(functionKey(name, file)) ?? -1];
    if (one === undefined) continue;
    const last = (values: Float64Array): number =>
      values.subarray(-standingMinutes).reduce((sum, value) => sum + value, 0);
    const samples = last(one.counts);
    const change = samples / Math.max(last(one.exposure), 1) / before - 1;
    standings[functionKey(name, file)] = {
      change,
      interval: null,
      q: null,
      samplesBefore: 0,
      samplesAfter: samples,
      isMoved: false,
    };
  }
  return standings;
}
