/**
 * Where a version was read, in the order in which sources are asked. What a process says of itself (OpenTelemetry's resource attributes) comes before all
 * of them and has no name here: its series have no label `service_version_source`.
 */
export const versionSources = [
  'kubernetes_label',
  'image_label',
  'image_tag',
  'image_digest',
  'package_json',
  'python_dist',
  'jar_manifest',
  'go_build_info',
  'git_head',
  'build_id',
] as const;

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
