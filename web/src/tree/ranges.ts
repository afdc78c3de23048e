import type { TreeShape } from '../data/tree-columns.ts';

/** Rows `from` up to `until`, exclusive: a node and all that is below it. */
export interface Range {
  readonly from: number;
  readonly until: number;
}

/** What is below `roots`, none of which lies below another, themselves included; neighbours as one range. In order of rows. */
export function rangesOf({ end }: TreeShape, roots: readonly number[]): Range[] {
  const ranges: { from: number; until: number }[] = [];
  for (const root of roots.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    const until = end[root] ?? root + 1;
    if (last?.until === root) last.until = until;
    else ranges.push({ from: root, until });
  }
  return ranges;
}
