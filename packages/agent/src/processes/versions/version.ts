import type { versionSources } from '@everflame/protocols/write';

export type VersionSource = (typeof versionSources)[number];

export interface FoundVersion {
  readonly version: string;
  readonly source: VersionSource;
}

/** Digits of a hash that name it, as git shows commits: 48 bits. */
export const shownHashDigits = 12;

/** Of a build ID, a digest or a commit: its first 12 digits. */
export function shortHash(hash: string): string {
  return hash.replace(/^sha256:/u, '').slice(0, shownHashDigits);
}
