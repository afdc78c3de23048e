import type { UnitKind } from './side-counts.ts';

/** Who a series' samples come from; `null` for what is not known. */
export interface SampleOrigin {
  readonly host: string | null;
  readonly pod: string | null;
  readonly process: string | null;
}

export interface ChosenUnits {
  readonly kind: UnitKind;
  /** How many hosts, pods and processes there are, for the reason that a verdict gives. */
  readonly hosts: number;
  /** The unit of an origin; time blocks are cut by the caller, from the time of its minutes. */
  readonly unitOf: ((origin: SampleOrigin) => string) | null;
}

/**
 * Hosts, else pods, else processes, else time blocks: the coarsest kind that every origin names and that has at least two
 * members on each side, because noise is shared within a host and between pods of one, and what is shared must not be counted as
 * independent (reference: cluster-robust inference, Cameron & Miller, J. Human Resources 50 (2015), §VI: cluster at the coarsest level).
 */
export function chooseUnits(before: readonly SampleOrigin[], after: readonly SampleOrigin[]): ChosenUnits {
  const hosts = new Set([...before, ...after].map((origin) => origin.host).filter((host) => host !== null)).size;
  for (const kind of ['host', 'pod', 'process'] as const) {
    const names = (side: readonly SampleOrigin[]): Set<string | null> => new Set(side.map((origin) => origin[kind]));
    const [b, a] = [names(before), names(after)];
    if (b.size >= 2 && a.size >= 2 && !b.has(null) && !a.has(null))
      return { kind, hosts, unitOf: (origin) => origin[kind] ?? '' };
  }
  return { kind: 'block', hosts, unitOf: null };
}
