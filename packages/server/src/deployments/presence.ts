import type { Matcher } from '@everflame/profile';
import type { Check } from '../query/budget.ts';
import type { Selection, StorageReader, TimeRange, VersionFact } from '../storage/storage.ts';
import type { Presence } from './version-periods.ts';

const minuteMs = 60_000;
/** Steps that are looked at of one service: a day by minutes. */
const mostSteps = 1440;
/** Versions that were live together longer ago than this are told apart by their first and last samples alone. */
const mostRefinedMs = 7 * 24 * 60 * minuteMs;

/** CPU time, which is what every agent sends. */
export function cpuSelection(range: TimeRange, matchers: readonly Matcher[], check: Check): Selection {
  const cpu = { type: 'cpu', unit: 'nanoseconds' };
  return { ...range, name: 'process_cpu', sampleType: cpu, periodType: cpu, matchers, check };
}

/**
 * When the versions of one service in one environment were live, on which hosts. From their first to their last samples, which the store knows at once; only
 * where such spans overlap (a roll-back, a canary) the profiles between are looked at, step by step.
 */
export async function presenceOf(
  storage: StorageReader,
  facts: readonly VersionFact[],
  check: Check,
): Promise<{ readonly presence: readonly Presence[]; readonly stepMs: number }> {
  const [first] = facts;
  const window = first === undefined ? null : overlapOf(facts);
  if (first === undefined || window === null) {
    return {
      presence: facts.flatMap((fact) => outside(fact, { fromMs: Infinity, untilMs: Infinity })),
      stepMs: minuteMs,
    };
  }
  const stepMs = Math.ceil((window.untilMs - window.fromMs) / mostSteps / minuteMs) * minuteMs;
  const labels = { service_name: first.service, deployment_environment_name: first.environment };
  const matchers = Object.entries(labels).map(([name, value]): Matcher => ({ name, operator: '=', value }));
  const lines = await storage.range(cpuSelection(window, matchers, check), stepMs, ['service_version', 'host_name']);
  const lastMs = new Map(facts.map((fact) => [fact.version, fact.lastMs]));
  const presence = lines.flatMap(({ labels: own, times, samples }): Presence[] => {
    const version = own['service_version'] ?? '';
    const endMs = lastMs.get(version);
    if (endMs === undefined) return [];
    return times.map((timeMs, i) => ({
      version,
      host: own['host_name'] ?? '',
      timeMs,
      lengthMs: Math.max(Math.min(stepMs, endMs - timeMs), 1),
      samples: samples[i] ?? 0,
    }));
  });
  return { presence: [...presence, ...facts.flatMap((fact) => outside(fact, window))], stepMs };
}

/** From the first instant at which two spans overlap to the last, bounded; null when none do. */
function overlapOf(facts: readonly VersionFact[]): TimeRange | null {
  let fromMs = Infinity;
  let untilMs = -Infinity;
  const sorted = facts.toSorted((a, b) => a.firstMs - b.firstMs);
  let liveUntilMs = -Infinity;
  for (const { firstMs, lastMs } of sorted) {
    if (firstMs < liveUntilMs) {
      fromMs = Math.min(fromMs, firstMs);
      untilMs = Math.max(untilMs, Math.min(lastMs, liveUntilMs));
    }
    liveUntilMs = Math.max(liveUntilMs, lastMs);
  }
  if (fromMs >= untilMs) return null;
  const startMs = Math.floor(Math.max(fromMs, untilMs - mostRefinedMs) / minuteMs) * minuteMs;
  return { fromMs: startMs, untilMs: Math.ceil(untilMs / minuteMs + 1) * minuteMs };
}

/** What lies before and behind the window, by host. */
function outside(fact: VersionFact, window: TimeRange): Presence[] {
  const { version, firstMs, lastMs, samples } = fact;
  const hosts = fact.perHost.length > 0 ? fact.perHost : [{ host: '', firstMs, lastMs, samples }];
  return hosts.flatMap((one) => {
    const part = (fromMs: number, untilMs: number): Presence[] => {
      const lengthMs = untilMs - fromMs;
      if (lengthMs <= 0 && one.lastMs > one.firstMs) return [];
      if (lengthMs < 0) return [];
      const share = one.lastMs > one.firstMs ? lengthMs / (one.lastMs - one.firstMs) : 1;
      return [
        { version, host: one.host, timeMs: fromMs, lengthMs: Math.max(lengthMs, 1), samples: one.samples * share },
      ];
    };
    return [
      ...part(one.firstMs, Math.min(one.lastMs, window.fromMs)),
      ...(window.untilMs < one.lastMs ? part(Math.max(one.firstMs, window.untilMs), one.lastMs) : []),
    ];
  });
}
