interface Semantic {
  /** Major, minor, patch. */
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];
}

/** Semantic Versioning 2.0.0, §9–11, with the leading `v` that tags have. */
const pattern = /^v?(\d{1,18})\.(\d{1,18})\.(\d{1,18})(?:-([0-9A-Za-z.-]{1,128}))?(?:\+[0-9A-Za-z.-]{1,128})?$/u;

function semanticOf(version: string): Semantic | undefined {
  const match = pattern.exec(version);
  if (match === null) return undefined;
  const [, major = '', minor = '', patch = '', prerelease] = match;
  return { numbers: [BigInt(major), BigInt(minor), BigInt(patch)], prerelease: prerelease?.split('.') ?? [] };
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  // A release comes after its prereleases.
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one = '', other = ''] = [a[i], b[i]];
    if (one === other) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/u.test(one), /^\d+$/u.test(other)];
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    if (!isNumber) return one < other ? -1 : 1;
    const difference = BigInt(one) - BigInt(other);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return a.length - b.length;
}

/**
 * By precedence where both are semantic versions: negative where `a` comes before `b`, 0 where only their build metadata differ. Undefined where one of them
 * is not: a commit, a build ID or a date is neither more nor less than another.
 */
export function compareByPrecedence(a: string, b: string): number | undefined {
  const [one, other] = [semanticOf(a), semanticOf(b)];
  if (one === undefined || other === undefined) return undefined;
  for (let i = 0; i < 3; i++) {
    const difference = (one.numbers[i] ?? 0n) - (other.numbers[i] ?? 0n);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return comparePrereleases(one.prerelease, other.prerelease);
}

/**
 * Versions of one service, the earliest first: by precedence where all of them are semantic versions, by the time they began where any is not, since a
 * mixture has no order of its own.
 */
export function orderVersions<T extends { readonly version: string; readonly startMs: number }>(
  versions: readonly T[],
): T[] {
  const areSemantic = versions.every(({ version }) => semanticOf(version) !== undefined);
  return versions.toSorted((a, b) => {
    const byPrecedence = areSemantic ? (compareByPrecedence(a.version, b.version) ?? 0) : 0;
    return byPrecedence || a.startMs - b.startMs || (a.version < b.version ? -1 : 1);
  });
}
