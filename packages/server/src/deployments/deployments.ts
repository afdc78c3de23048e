import type { http } from '@everflame/protocols';
import { allVersionSources } from '@everflame/protocols/version-sources';
import type { Check } from '../query/budget.ts';
import { type Parameters, present } from '../query/parameters.ts';
import type { Mark, StorageReader, VersionFact } from '../storage/storage.ts';
import { coresOf, keyOf, type Named } from './cores.ts';
import { presenceOf } from './presence.ts';
import { orderVersions } from './version-order.ts';
import { type Presence, type VersionPeriod, versionPeriods } from './version-periods.ts';

/**
 * Versions per service and environment, seen in profiles or marked, the newest deployment first. `service`, `version` and `environment` narrow
 * them.
 */
export async function answerDeployments(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check = () => undefined,
): Promise<http.DeploymentsAnswer> {
  const isWanted = (name: 'service' | 'environment') => (one: Named) =>
    (present(parameters, name) ?? one[name]) === one[name];
  const facts = (await storage.versions()).filter(isWanted('service')).filter(isWanted('environment'));
  const marks = (await storage.marks()).filter(isWanted('service')).filter(isWanted('environment'));
  const rows: http.Deployment[] = [];
  const groups = new Map<string, { facts: VersionFact[]; marks: Mark[] }>();
  const groupOf = ({ service, environment }: Named) => {
    const key = JSON.stringify([service, environment]);
    const group = groups.get(key) ?? { facts: [], marks: [] };
    groups.set(key, group);
    return group;
  };
  for (const fact of facts) groupOf(fact).facts.push(fact);
  for (const mark of marks) groupOf(mark).marks.push(mark);
  for (const group of groups.values()) {
    check();
    rows.push(...(await rowsOf(storage, group.facts, group.marks, nowMs, check)));
  }
  const version = present(parameters, 'version');
  const sorted = rows
    .filter((row) => version === undefined || row.version === version)
    .sort((a, b) => startOf(b) - startOf(a) || b.precedence - a.precedence);
  const cores = await coresOf(storage, facts, sorted, nowMs, check);
  return { deployments: sorted.map((row) => ({ ...row, cores: cores.get(keyOf(row)) ?? null })) };
}

/** All versions of one service in one environment. */
async function rowsOf(
  storage: StorageReader,
  facts: readonly VersionFact[],
  marks: readonly Mark[],
  nowMs: number,
  check: Check,
): Promise<http.Deployment[]> {
  const named = facts.filter(({ version }) => version !== '');
  const seen = await presenceOf(storage, named, check);
  // Profiles that carry no version belong to whatever was marked last.
  const { presence, stepMs } =
    named.length > 0 ? seen : { presence: markedPresence(facts, marks), stepMs: seen.stepMs };
  const periods = Map.groupBy(versionPeriods(presence, stepMs, nowMs), (period) => period.version);
  const marked = Map.groupBy(marks, (mark) => mark.version);
  const known = new Map(facts.map((fact) => [fact.version, rowOf(fact, marked.get(fact.version) ?? [])]));
  for (const [version, [mark, ...more]] of marked) {
    if (mark !== undefined && !known.has(version)) known.set(version, rowOf(mark, [mark, ...more]));
  }
  const rows = [...known.values()].map((row) => ({ ...row, periods: (periods.get(row.version) ?? []).map(periodOf) }));
  const ordered = orderVersions(rows.map((row) => ({ version: row.version, startMs: firstStartOf(row), row })));
  return ordered.map(({ row }, i) => ({ ...row, precedence: i + 1 }));
}

function rowOf(one: VersionFact | Mark, marks: readonly Mark[]): http.Deployment {
  const fact = 'samples' in one ? one : null;
  const sources = [
    ...(marks.length > 0 ? ['mark'] : []),
    ...(fact?.sources ?? []).map((source) => source || 'reported'),
  ];
  const known = allVersionSources.filter((source) => sources.includes(source));
  return {
    service: one.service,
    version: one.version,
    environment: one.environment,
    // A label of a name that is not ours was posted by somebody.
    source: known[0] ?? 'reported',
    sources: known.length === 0 ? ['reported'] : known,
    firstSeen: fact?.firstMs ?? null,
    lastSeen: fact?.lastMs ?? null,
    hosts: [...(fact?.hosts ?? [])],
    perHost: (fact?.perHost ?? []).map(({ host, firstMs, lastMs, samples }) => ({
      host,
      firstSeen: firstMs,
      lastSeen: lastMs,
      samples,
    })),
    instances: fact?.instances ?? 0,
    samples: fact?.samples ?? 0,
    cores: null,
    precedence: 0,
    periods: [],
    marks: marks.map(({ atMs: at, commit, url }) => ({ at, commit, url })),
  };
}

/** From each mark to the next one of another version, on the hosts that the service was seen on. */
function markedPresence(facts: readonly VersionFact[], marks: readonly Mark[]): Presence[] {
  const lastMs = Math.max(...facts.map((fact) => fact.lastMs));
  const sorted = marks.toSorted((a, b) => a.atMs - b.atMs);
  return sorted.flatMap(({ version, atMs }, i) => {
    const untilMs = Math.min(sorted[i + 1]?.atMs ?? lastMs, lastMs);
    const hosts = [...new Set(facts.flatMap((fact) => fact.hosts))];
    if (untilMs <= atMs) return [];
    const lengthMs = untilMs - atMs;
    return (hosts.length === 0 ? [''] : hosts).map((host) => ({ version, host, timeMs: atMs, lengthMs, samples: 1e6 }));
  });
}

function periodOf({ fromMs, untilMs, kind, state, replaces, hosts }: VersionPeriod): http.DeploymentPeriod {
  return { from: fromMs, until: untilMs, kind, state, replaces, hosts: hosts.filter((host) => host !== '') };
}

/** When it came last: the start of its last period, else its first mark. */
function startOf(row: http.Deployment): number {
  return row.periods.at(-1)?.from ?? firstStartOf(row);
}

/** When it began: its first mark or its first profile. */
function firstStartOf({ firstSeen, marks }: http.Deployment): number {
  return Math.min(firstSeen ?? Number.POSITIVE_INFINITY, ...marks.map(({ at }) => at));
}
