import type { TreeShape, Weights } from '../data/tree-columns.ts';
/** One function of a table. Exact; a sample counts once in `total` however deep the function recurses. */
export interface FunctionRow {
  readonly name: string;
  readonly file: string;
  readonly binary: string;
  /** Index of the first frame of that name. */
  readonly frame: number;
  readonly self: bigint;
  readonly total: bigint;
  readonly selfSamples: number;
  readonly samples: number;
}

/**
 * The functions below `roots` (none of which lies below another), one row for each name, as pprof tells functions apart.
 * Groups (a split by label) and the root are no functions.
 */
export function functionRows(tree: TreeShape, weights: Weights, roots: readonly number[]): FunctionRow[] {
  const { rowOfFrame, firstFrame } = rowsByName(tree);
  const self = new BigInt64Array(firstFrame.length);
  const total = new BigInt64Array(firstFrame.length);
  const selfSamples = new Float64Array(firstFrame.length);
  const samples = new Float64Array(firstFrame.length);
  // Depth first, with how often each function is open on the path: only its outermost call counts in its total.
  const open = new Uint32Array(firstFrame.length);
  const stack: number[] = [...roots];
  const { children, childOffset, frame } = tree;
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const node = entry < 0 ? ~entry : entry;
    const row = rowOfFrame[frame[node] ?? 0] ?? -1;
    if (entry < 0) {
      open[row] = (open[row] ?? 1) - 1;
      continue;
    }
    if (row >= 0) {
      self[row] = (self[row] ?? 0n) + (weights.self[node] ?? 0n);
      selfSamples[row] = (selfSamples[row] ?? 0) + (weights.selfSamples[node] ?? 0);
      if (open[row] === 0) {
        total[row] = (total[row] ?? 0n) + (weights.total[node] ?? 0n);
        samples[row] = (samples[row] ?? 0) + (weights.samples[node] ?? 0);
      }
      open[row] = (open[row] ?? 0) + 1;
      stack.push(~node);
    }
    const end = childOffset[node + 1] ?? 0;
    for (let at = childOffset[node] ?? 0; at < end; at++) stack.push(children[at] ?? 0);
  }
  const { name, file, binary } = tree.frames;
  return Array.from(firstFrame, (first, row) => ({
    name: name[first] ?? '',
    file: file[first] ?? '',
    binary: binary[first] ?? '',
    frame: first,
    self: self[row] ?? 0n,
    total: total[row] ?? 0n,
    selfSamples: selfSamples[row] ?? 0,
    samples: samples[row] ?? 0,
  })).filter((row) => row.total !== 0n || row.self !== 0n || row.samples !== 0);
}

interface RowsByName {
  /** -1 for what is no function. */
  readonly rowOfFrame: Int32Array;
  /** Of each row, the first frame of that name. */
  readonly firstFrame: readonly number[];
}

function rowsByName({ frames }: TreeShape): RowsByName {
  const rowOfName = new Map<string, number>();
  const firstFrame: number[] = [];
  const rowOfFrame = Int32Array.from({ length: frames.length }, (_, frame) => {
    const kind = frames.kind[frame];
    if (kind === 'root' || kind === 'group') return -1;
    const name = frames.name[frame] ?? '';
    const known = rowOfName.get(name);
    if (known !== undefined) return known;
    rowOfName.set(name, firstFrame.length);
    return firstFrame.push(frame) - 1;
  });
  return { rowOfFrame, firstFrame };
}
