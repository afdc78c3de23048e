import type { Labels } from '@everflame/profile';
import type { VersionFact } from './storage.ts';

export interface SeriesSpan {
  readonly labels: Labels;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
}

/** The service versions among series, in order of service, then version, then environment. Series without a service are none's. */
export function versionFacts(series: readonly SeriesSpan[]): VersionFact[] {
  const facts = new Map<string, VersionFact>();
  for (const { labels, firstMs, lastMs, samples } of series) {
    const service = labels['service_name'];
    if (service === undefined) continue;
    const version = labels['service_version'] ?? '';
    const environment = labels['deployment_environment_name'] ?? '';
    const host = labels['host_name'];
    const key = JSON.stringify([service, version, environment]);
    const known = facts.get(key);
    const hosts = new Set(known?.hosts);
    if (host !== undefined) hosts.add(host);
    facts.set(key, {
      service,
      version,
      environment,
      hosts: [...hosts].sort(),
      firstMs: Math.min(firstMs, known?.firstMs ?? firstMs),
      lastMs: Math.max(lastMs, known?.lastMs ?? lastMs),
      samples: samples + (known?.samples ?? 0),
    });
  }
  return [...facts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact);
}
