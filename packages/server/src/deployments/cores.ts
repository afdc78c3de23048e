import type { Matcher } from '@everflame/profile';
import type { Check } from '../query/budget.ts';
import type { StorageReader, TimeRange, VersionFact } from '../storage/storage.ts';
import { cpuSelection } from './presence.ts';

/** What names a version of a service. */
export interface Named {
  readonly service: string;
  readonly version: string;
  readonly environment: string;
}

export function keyOf({ service, version, environment }: Named): string {
  return JSON.stringify([service, version, environment]);
}

const hourMs = 3_600_000;
/** Versions that no longer run cost a question each. */
const mostPast = 20;

/** Mean CPU of each version in its last hour, in cores, by `keyOf`; of those that no longer run only the first `mostPast` of `wanted`. */
export async function coresOf(
  storage: StorageReader,
  facts: readonly VersionFact[],
  wanted: readonly Named[],
  nowMs: number,
  check: Check,
): Promise<ReadonlyMap<string, number>> {
  const byKey = new Map(facts.map((fact) => [keyOf(fact), fact]));
  const rows = wanted.flatMap((row) => byKey.get(keyOf(row)) ?? []);
  const cores = new Map<string, number>();
  const live = rows.filter(({ lastMs }) => lastMs > nowMs - hourMs);
  const services = [...new Set(live.map(({ service }) => service))];
  if (live.length > 0) {
    // One service alone is what a page of its own asks for; more are cheaper in one pass.
    const matchers = services.length === 1 ? matchersOf({ service_name: services[0] ?? '' }) : [];
    const sums = await cpuSums(storage, { fromMs: nowMs - hourMs, untilMs: nowMs + 60_000 }, matchers, check);
    for (const fact of live) add(cores, fact, sums, nowMs - hourMs);
  }
  for (const fact of rows.filter((one) => !live.includes(one)).slice(0, mostPast)) {
    const { service, version, environment, lastMs } = fact;
    const matchers = matchersOf({
      service_name: service,
      service_version: version,
      deployment_environment_name: environment,
    });
    const range = { fromMs: Math.max(0, lastMs - hourMs), untilMs: lastMs + 1 };
    add(cores, fact, await cpuSums(storage, range, matchers, check), range.fromMs);
  }
  return cores;
}

function matchersOf(labels: Readonly<Record<string, string>>): Matcher[] {
  return Object.entries(labels).map(([name, value]) => ({ name, operator: '=', value }));
}

function add(cores: Map<string, number>, fact: VersionFact, sums: ReadonlyMap<string, bigint>, fromMs: number): void {
  const key = keyOf(fact);
  const lengthMs = fact.lastMs - Math.max(fact.firstMs, fromMs);
  const sum = sums.get(key);
  if (sum !== undefined && lengthMs > 0) cores.set(key, Number(sum) / 1e6 / lengthMs);
}

/** CPU nanoseconds of each version in a range. */
async function cpuSums(
  storage: StorageReader,
  range: TimeRange,
  matchers: readonly Matcher[],
  check: Check,
): Promise<ReadonlyMap<string, bigint>> {
  const by = ['service_name', 'service_version', 'deployment_environment_name'];
  const sums = new Map<string, bigint>();
  for (const { labels, values } of await storage.range(cpuSelection(range, matchers, check), hourMs, by)) {
    const [service = '', version = '', environment = ''] = by.map((name) => labels[name]);
    const key = keyOf({ service, version, environment });
    sums.set(
      key,
      values.reduce((sum, value) => sum + value, sums.get(key) ?? 0n),
    );
  }
  return sums;
}
