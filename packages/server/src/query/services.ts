import { makeProfileType, type Matcher, type Tree } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { SeriesFact, StorageReader, TimeRange } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { Refused } from '../problem.ts';
import { answerHead } from './columns.ts';
import { rangeOf, treeOfChoice } from './merged.ts';
import { type Parameters, present, readSelector, readStepMs, readTimeRange } from './parameters.ts';
import { type Choice, chooseProfile, typesOf } from './profile-choice.ts';

const serviceLabel = 'service_name';
const cpuType = makeProfileType('process_cpu', 'cpu', 'nanoseconds', 'cpu', 'nanoseconds').id;
/** Functions named for each service. */
const defaultTop = 5;
const maxTop = 100;

/** Every service of the range with its value over time and its top functions; the one with the most first. */
export async function answerServices(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<http.ServicesAnswer> {
  const range = readTimeRange(parameters, nowMs);
  const stepMs = readStepMs(parameters, range);
  const topCount = readTop(parameters);
  const choice = await chooseServicesType(storage, parameters, range);
  const head = { ...answerHead(choice, range), stepMs };
  if (choice === null) return { ...head, services: [] };
  const [facts, lines] = await Promise.all([
    storage.series(range, choice.selection.matchers),
    rangeOf(storage, choice, stepMs, [serviceLabel], check),
  ]);
  const tops = new Map<string, Top[]>();
  for (const { labels } of topCount === 0 ? [] : lines) {
    const service = labels[serviceLabel] ?? '';
    const matcher: Matcher = { name: serviceLabel, operator: '=', value: service };
    const own = { ...choice, selection: { ...choice.selection, matchers: [...choice.selection.matchers, matcher] } };
    tops.set(service, topOf((await treeOfChoice(storage, own, {}, check)).tree, topCount));
  }
  const versions = await versionsByService(storage, facts);
  const services = lines.map(({ labels, times, values, samples }) => {
    const service = labels[serviceLabel] ?? '';
    const own = facts.filter((fact) => (fact.labels[serviceLabel] ?? '') === service);
    return {
      service,
      versions: versions.get(service) ?? [],
      hosts: new Set(own.flatMap((fact) => fact.labels['host_name'] ?? [])).size,
      value: values.reduce((sum, value) => sum + value, 0n),
      samples: samples.reduce((sum, count) => sum + count, 0),
      times: [...times],
      values: values.map(String),
      top: tops.get(service) ?? [],
    };
  });
  services.sort((a, b) => (a.value < b.value ? 1 : a.value > b.value ? -1 : a.service < b.service ? -1 : 1));
  return { ...head, services: services.map((one) => ({ ...one, value: String(one.value) })) };
}

/** @throws Refused 400 `bad_top` */
function readTop(parameters: Parameters): number {
  const text = present(parameters, 'top');
  if (text === undefined) return defaultTop;
  if (/^[0-9]{1,3}$/.test(text) && Number(text) <= maxTop) return Number(text);
  throw new Refused(400, 'bad_top', `top is ${JSON.stringify(text)}: give a number from 0 to ${maxTop}`, 'top');
}

/** The type asked for; without one CPU time where there is some, else the first that there is. */
async function chooseServicesType(
  storage: StorageReader,
  parameters: Parameters,
  range: TimeRange,
): Promise<Choice | null> {
  const selector = readSelector(parameters);
  if (selector.profileType !== undefined) return chooseProfile(storage, selector, range);
  const types = (await storage.series(range, selector.matchers)).flatMap(typesOf);
  const ids = types.filter(({ isDefault }) => isDefault).map(({ type }) => type.id);
  const profileType = types.some(({ type }) => type.id === cpuType) ? cpuType : ids.sort()[0];
  return profileType === undefined ? null : chooseProfile(storage, { ...selector, profileType }, range);
}

/** Versions that are in the range, the one that was seen first last. */
async function versionsByService(
  storage: StorageReader,
  facts: readonly SeriesFact[],
): Promise<ReadonlyMap<string, string[]>> {
  const inRange = new Set(facts.map(({ labels }) => JSON.stringify([labels[serviceLabel], labels['service_version']])));
  const versions = new Map<string, string[]>();
  const known = [...(await storage.versions())].sort((a, b) => b.firstMs - a.firstMs);
  for (const { service, version } of known) {
    if (version === '' || !inRange.has(JSON.stringify([service, version]))) continue;
    const list = versions.get(service) ?? [];
    if (!list.includes(version)) versions.set(service, [...list, version]);
  }
  return versions;
}

interface Top {
  readonly name: string;
  readonly self: string;
}

/** The functions with the most self value. */
function topOf({ frames, frame, self }: Tree, topCount: number): Top[] {
  const sums = new Map<number, bigint>();
  for (let node = 1; node < frame.length; node++) {
    const value = self[node] ?? 0n;
    if (value !== 0n) sums.set(frame[node] ?? 0, (sums.get(frame[node] ?? 0) ?? 0n) + value);
  }
  const sorted = [...sums].sort(([, a], [, b]) => (a < b ? 1 : a > b ? -1 : 0)).slice(0, topCount);
  return sorted.map(([row, value]) => ({ name: frames.name[row] ?? '', self: String(value) }));
}
