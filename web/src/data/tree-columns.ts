import type { http } from '@everflame/protocols';

/** What frames are; a node names one by index. Frame 0 is the root. */
export interface Frames {
  readonly length: number;
  readonly name: readonly string[];
  readonly file: readonly string[];
  readonly binary: readonly string[];
  readonly kind: readonly http.FrameKind[];
}

/** Values of nodes in the unit of the profile type, exact; sample counts beside them. */
export interface Weights {
  readonly total: BigInt64Array;
  readonly self: BigInt64Array;
  readonly samples: Float64Array;
  readonly selfSamples: Float64Array;
}

/** A merged call tree in columns. Node 0 is the root; `parent[n] < n` for every other node. */
export interface TreeShape {
  readonly length: number;
  readonly frames: Frames;
  readonly parent: Uint32Array;
  readonly frame: Uint32Array;
  /** Children of node `n` are `children[childOffset[n]]` to `children[childOffset[n + 1]]`, exclusive. */
  readonly childOffset: Uint32Array;
  readonly children: Uint32Array;
}

export interface Tree extends TreeShape {
  readonly weights: Weights;
}

/** Both sides whole: a node that only one side has holds zeros on the other. */
export interface DiffTree extends TreeShape {
  readonly before: Weights;
  readonly after: Weights;
}

type TreeParts = Pick<http.FlamegraphAnswer, 'frames'> & {
  readonly nodes: { readonly parent: readonly number[]; readonly frame: readonly number[] };
};

/** Throws when the columns break the promises of the API (a bug of the server, not of the user). */
export function treeShape({ frames, nodes }: TreeParts): TreeShape {
  const parent = Uint32Array.from(nodes.parent);
  const frame = Uint32Array.from(nodes.frame);
  const length = parent.length;
  if (frame.length !== length)
    throw new Error(`columns of different length: ${length} parents, ${frame.length} frames`);
  const childOffset = new Uint32Array(length + 1);
  for (let node = 1; node < length; node++) {
    const up = parent[node] ?? 0;
    if (up >= node) throw new Error(`node ${node} comes before its parent ${up}`);
    if ((frame[node] ?? 0) >= frames.name.length) throw new Error(`node ${node} names no frame`);
    childOffset[up + 1] = (childOffset[up + 1] ?? 0) + 1;
  }
  for (let node = 0; node < length; node++) {
    childOffset[node + 1] = (childOffset[node + 1] ?? 0) + (childOffset[node] ?? 0);
  }
  const next = childOffset.slice();
  const children = new Uint32Array(Math.max(length - 1, 0));
  for (let node = 1; node < length; node++) {
    const up = parent[node] ?? 0;
    const place = next[up] ?? 0;
    children[place] = node;
    next[up] = place + 1;
  }
  return { length, frames: { ...frames, length: frames.name.length }, parent, frame, childOffset, children };
}

/** Columns of a tree of one side. */
export interface WeightColumns {
  readonly total: readonly string[];
  readonly self: readonly string[];
  readonly samples: readonly number[];
  readonly selfSamples: readonly number[];
}

export function weightsOf(columns: WeightColumns): Weights {
  return {
    total: BigInt64Array.from(columns.total, BigInt),
    self: BigInt64Array.from(columns.self, BigInt),
    samples: Float64Array.from(columns.samples),
    selfSamples: Float64Array.from(columns.selfSamples),
  };
}

export function treeOf(answer: http.FlamegraphAnswer): Tree {
  return { ...treeShape(answer), weights: weightsOf(answer.nodes) };
}

export function diffTreeOf(answer: http.DiffAnswer): DiffTree {
  return { ...treeShape(answer), before: weightsOf(answer.nodes.before), after: weightsOf(answer.nodes.after) };
}
