import type { TreeShape, Weights } from '../data/tree-columns.ts';
import { childrenOf } from './order.ts';

/** One function of a table. Exact; a sample counts once in `total` however deep the function recurses. */
export interface FunctionRow {
  readonly name: string;
  readonly file: string;
  readonly binary: string;
  /** Index of the first frame of that name. */
  readonly frame: number;
  self: bigint;
  total: bigint;
  selfSamples: number;
  samples: number;
}

/**
 * The functions below `roots` (none of which lies below another), one row for each name, as pprof tells functions apart.
 * Groups (a split by label) and the root are no functions.
 */
export function functionRows(tree: TreeShape, weights: Weights, roots: readonly number[]): FunctionRow[] {
  const rows: FunctionRow[] = [];
  const rowOfName = new Map<string, FunctionRow>();
  const rowOfFrame: (FunctionRow | undefined)[] = [];
  for (let frame = 0; frame < tree.frames.length; frame++) {
    const kind = tree.frames.kind[frame];
    if (kind === 'root' || kind === 'group') continue;
    const name = tree.frames.name[frame] ?? '';
    let row = rowOfName.get(name);
    if (row === undefined) {
      row = {
        name,
        file: tree.frames.file[frame] ?? '',
        binary: tree.frames.binary[frame] ?? '',
        frame,
        self: 0n,
        total: 0n,
        selfSamples: 0,
        samples: 0,
      };
      rowOfName.set(name, row);
      rows.push(row);
    }
    rowOfFrame[frame] = row;
  }
  // Depth first, with the functions that are open on the path: only the outermost call of each counts in its total.
  const open = new Map<FunctionRow, number>();
  const stack: number[] = [...roots];
  while (stack.length > 0) {
    const entry = stack.pop() ?? 0;
    const node = entry < 0 ? ~entry : entry;
    const row = rowOfFrame[tree.frame[node] ?? 0];
    if (entry < 0) {
      if (row !== undefined) open.set(row, (open.get(row) ?? 1) - 1);
      continue;
    }
    if (row !== undefined) {
      const depth = open.get(row) ?? 0;
      open.set(row, depth + 1);
      row.self += weights.self[node] ?? 0n;
      row.selfSamples += weights.selfSamples[node] ?? 0;
      if (depth === 0) {
        row.total += weights.total[node] ?? 0n;
        row.samples += weights.samples[node] ?? 0;
      }
    }
    stack.push(~node);
    for (const child of childrenOf(tree, node)) stack.push(child);
  }
  return rows.filter((row) => row.total !== 0n || row.self !== 0n || row.samples !== 0);
}
