import type { Labels } from '@everflame/profile';
import type { HostFact, VersionFact } from './storage.ts';

export interface SeriesSpan {
  readonly labels: Labels;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
}

interface Seen {
  readonly service: string;
  readonly version: string;
  readonly environment: string;
  readonly hosts: Map<string, HostFact>;
  readonly sources: Set<string>;
  readonly instances: Set<string>;
  firstMs: number;
  lastMs: number;
  samples: number;
}

/** The service versions among series, in order of service, then version, then environment. Series without a service are none's. */
export function versionFacts(series: readonly SeriesSpan[]): VersionFact[] {
  const facts = new Map<string, Seen>();
  for (const { labels, firstMs, lastMs, samples } of series) {
    const service = labels['service_name'];
    if (service === undefined) continue;
    const version = labels['service_version'] ?? '';
    const environment = labels['deployment_environment_name'] ?? '';
    const key = JSON.stringify([service, version, environment]);
    const seen = facts.get(key) ?? noneSeen(service, version, environment);
    facts.set(key, seen);
    seen.firstMs = Math.min(seen.firstMs, firstMs);
    seen.lastMs = Math.max(seen.lastMs, lastMs);
    seen.samples += samples;
    seen.sources.add(labels['service_version_source'] ?? '');
    const host = labels['host_name'];
    seen.instances.add(JSON.stringify([host, labels['k8s_pod_name'], labels['container_id']]));
    if (host === undefined) continue;
    const known = seen.hosts.get(host) ?? { host, firstMs, lastMs, samples: 0 };
    seen.hosts.set(host, {
      host,
      firstMs: Math.min(known.firstMs, firstMs),
      lastMs: Math.max(known.lastMs, lastMs),
      samples: known.samples + samples,
    });
  }
  return [...facts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { hosts, sources, instances, ...fact }]) => {
      const perHost = [...hosts.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
      return {
        ...fact,
        hosts: perHost.map(({ host }) => host),
        perHost,
        sources: [...sources].sort(),
        instances: instances.size,
      };
    });
}

function noneSeen(service: string, version: string, environment: string): Seen {
  const none = { hosts: new Map(), sources: new Set<string>(), instances: new Set<string>(), samples: 0 };
  return { service, version, environment, ...none, firstMs: Infinity, lastMs: -Infinity };
}
