import type { TreeShape, Weights } from '../data/tree-columns.ts';
import { rangesOf } from './ranges.ts';
import { ExactSums, halvesOf } from './sums.ts';

/** One function of a table. Exact; a sample counts once in `total` however deep the function recurses. */
export interface FunctionRow {
  readonly name: string;
  readonly file: string;
  readonly binary: string;
  /** Its row in the frames of the tree. */
  readonly frame: number;
  readonly self: bigint;
  readonly total: bigint;
  readonly selfSamples: number;
  readonly samples: number;
}

/**
 * The functions below `roots` (none of which lies below another): frames are one for each function, as pprof tells them
 * apart. Groups (a split by label, what was held back) and the root are no functions. One pass over the rows.
 */
export function functionRows(tree: TreeShape, weights: Weights, roots: readonly number[]): FunctionRow[] {
  const steps = functionRowsInSteps(tree, weights, roots);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** About a millisecond's worth. */
const rowsPerStep = 16_384;

/** The same in steps of about a millisecond, so that whoever runs them may pause in between. */
export function* functionRowsInSteps(
  tree: TreeShape,
  weights: Weights,
  roots: readonly number[],
): Generator<undefined, FunctionRow[]> {
  const { frame, frames, sameAbove } = tree;
  const self = new ExactSums(frames.length);
  const total = new ExactSums(frames.length);
  const selfSamples = new Float64Array(frames.length);
  const samples = new Float64Array(frames.length);
  const totals = halvesOf(weights.total);
  const selves = halvesOf(weights.self);
  for (const { from, until } of rangesOf(tree, roots)) {
    for (let node = from; node < until; node++) {
      if (node % rowsPerStep === 0) yield;
      const row = frame[node] ?? 0;
      self.add(row, selves, node);
      selfSamples[row] = (selfSamples[row] ?? 0) + (weights.selfSamples[node] ?? 0);
      // Only the outermost call in view counts in a total.
      if ((sameAbove[node] ?? 0) > from) continue;
      total.add(row, totals, node);
      samples[row] = (samples[row] ?? 0) + (weights.samples[node] ?? 0);
    }
  }
  const rows: FunctionRow[] = [];
  for (let row = 1; row < frames.length; row++) {
    if (row % rowsPerStep === 0) yield;
    const kind = frames.kind[row];
    if (kind === 'group' || kind === 'root') continue;
    const one = {
      name: frames.name[row] ?? '',
      file: frames.file[row] ?? '',
      binary: frames.binary[row] ?? '',
      frame: row,
      self: self.value(row),
      total: total.value(row),
      selfSamples: selfSamples[row] ?? 0,
      samples: samples[row] ?? 0,
    };
    if (one.total !== 0n || one.self !== 0n || one.samples !== 0) rows.push(one);
  }
  return rows;
}
