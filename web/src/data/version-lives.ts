import type { http } from '@everflame/protocols';
import type { VersionLife } from '../state/sides.ts';

/** Names of services that have been seen, in order. */
export function servicesOf({ deployments }: http.DeploymentsAnswer): string[] {
  const seen = deployments.filter((one) => one.firstSeen !== null).map((one) => one.service);
  return [...new Set(seen)].toSorted();
}

/** Versions of a service that were profiled, newest first; environments taken together. */
export function versionLives({ deployments }: http.DeploymentsAnswer, service: string): VersionLife[] {
  const lives = new Map<string, VersionLife>();
  for (const one of deployments) {
    if (one.service !== service || one.version === '' || one.firstSeen === null || one.lastSeen === null) continue;
    const known = lives.get(one.version);
    lives.set(one.version, {
      version: one.version,
      firstSeen: Math.min(one.firstSeen, known?.firstSeen ?? Infinity),
      lastSeen: Math.max(one.lastSeen, known?.lastSeen ?? -Infinity),
    });
  }
  return [...lives.values()].toSorted((a, b) => b.firstSeen - a.firstSeen);
}
