import type { http } from '@everflame/protocols';
import type { DiffTree } from '../data/tree-columns.ts';

/** What the statistics say of each function, by its name. */
export type Verdicts = ReadonlyMap<string, http.CompareFunction>;

export function verdictsOf(answer: http.CompareAnswer): Verdicts {
  return new Map(answer.functions.map((one) => [one.name, one]));
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
