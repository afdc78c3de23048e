import type { http } from '@everflame/protocols';
import type { DiffTree } from '../data/tree-columns.ts';

/** What the statistics say of each function, by its name. */
export type Verdicts = ReadonlyMap<string, http.CompareFunction>;

export function verdictsOf(answer: http.CompareAnswer): Verdicts {
  const known = new Map(answer.functions.map((one) => [one.name, one]));
  for (const one of answer.functions)
    if (one.nameBefore !== null && !known.has(one.nameBefore)) known.set(one.nameBefore, one);
  return known;
}

/** The function's name on the other side, where it is known there by another; null else. */
export function otherName(name: string, verdicts: Verdicts | null): string | null {
  const one = verdicts?.get(name);
  if (one === undefined || one.nameBefore === null) return null;
  return one.name === name ? one.nameBefore : one.name;
}

/** A change that is more than noise, in whatever direction. */
const findings: ReadonlySet<http.CompareVerdict> = new Set(['regressed', 'improved', 'moved', 'new', 'gone']);

export function isFinding(one: http.CompareFunction | undefined): boolean {
  return one !== undefined && (findings.has(one.verdict) || one.lean !== null);
}

/** By frame: 1 where the change of its function is significant; null without verdicts: then samples decide. */
export function significantFrames(tree: DiffTree, verdicts: Verdicts | null): Uint8Array | null {
  if (verdicts === null) return null;
  return Uint8Array.from({ length: tree.frames.length }, (_, row) =>
    isFinding(verdicts.get(tree.frames.name[row] ?? '')) ? 1 : 0,
  );
}
