import type { Binary } from '@everflame/profile';

/** Build IDs by file. */
export type BuildIds = ReadonlyMap<string, readonly string[]>;

export interface KnownBuilds {
  /** Null: not known yet. */
  readonly ids: BuildIds | null;
  /** They are wanted: somebody looks at a frame. */
  readonly ask: () => void;
}

export function buildIdsOf(binaries: readonly Binary[]): BuildIds {
  const ids = new Map<string, string[]>();
  for (const { file, buildId } of binaries) {
    const known = ids.get(file);
    if (known === undefined) ids.set(file, [buildId]);
    else known.push(buildId);
  }
  return ids;
}
