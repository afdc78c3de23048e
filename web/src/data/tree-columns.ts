import type { Tree as ProfileTree } from '@everflame/profile';
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

/** A merged call tree in columns, in depth-first order: what is below node `n` are the rows from `n + 1` up to `end[n]`. */
export interface TreeShape {
  readonly length: number;
  readonly frames: Frames;
  /** Node 0 is the root and its own parent; `parent[n] < n` for every other node. */
  readonly parent: Uint32Array;
  readonly frame: Uint32Array;
  /** Row behind the last one below each node. */
  readonly end: Uint32Array;
  /** Row + 1 of the nearest node above with the same frame; 0 where there is none. */
  readonly sameAbove: Uint32Array;
  /** 0, or how many children of its parent this row stands for, which the server held back. */
  readonly rest: Uint32Array;
}

export interface Tree extends TreeShape {
  readonly weights: Weights;
}

/** Both sides whole: a node that only one side has holds zeros on the other. */
export interface DiffTree extends TreeShape {
  readonly before: Weights;
  readonly after: Weights;
}

export interface ShapeColumns {
  readonly frames: Omit<Frames, 'length'>;
  readonly parent: Uint32Array;
  readonly frame: Uint32Array;
  readonly rest?: Uint32Array;
}

/** Throws when the columns break the promises of the API (a bug of the server, not of the user). Linear in the nodes. */
export function treeShape({ frames, parent, frame, rest }: ShapeColumns): TreeShape {
  const length = parent.length;
  if (frame.length !== length)
    throw new Error(`columns of different length: ${length} parents, ${frame.length} frames`);
  const count = frames.name.length;
  const end = new Uint32Array(length);
  const sameAbove = new Uint32Array(length);
  /** Row + 1 of the innermost node with each frame on the path to the row that is looked at. */
  const open = new Uint32Array(count);
  let top = 0;
  for (let node = 1; node < length; node++) {
    const up = parent[node] ?? 0;
    if (up >= node) throw new Error(`node ${node} comes before its parent ${up}`);
    // From the row before up to the parent, everything ends here.
    while (top !== up) {
      if (top < up) throw new Error(`node ${node} is not in depth-first order`);
      end[top] = node;
      open[frame[top] ?? 0] = sameAbove[top] ?? 0;
      top = parent[top] ?? 0;
    }
    const row = frame[node] ?? 0;
    if (row >= count) throw new Error(`node ${node} names no frame`);
    sameAbove[node] = open[row] ?? 0;
    open[row] = node + 1;
    top = node;
  }
  while (top !== 0) {
    end[top] = length;
    top = parent[top] ?? 0;
  }
  end[0] = length;
  return {
    length,
    frames: { ...frames, length: count },
    parent,
    frame,
    end,
    sameAbove,
    rest: rest ?? new Uint32Array(length),
  };
}

/** Columns of a tree of one side, as JSON has them. */
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

/** A tree of `packages/profile` as the page walks it. Columns are shared, not copied. */
export function treeOf(tree: ProfileTree & { readonly rest?: Uint32Array }): Tree {
  const { total, self, samples, selfSamples } = tree;
  return { ...treeShape(tree), weights: { total, self, samples, selfSamples } };
}

/** The way back. */
export function profileTreeOf({ frames, parent, frame, rest, weights }: Tree): ProfileTree & { rest: Uint32Array } {
  return { frames, parent, frame, rest, ...weights };
}

export function diffTreeOf(answer: Pick<http.DiffAnswer, 'frames' | 'nodes'>): DiffTree {
  const { nodes, frames } = answer;
  const shape = treeShape({ frames, parent: Uint32Array.from(nodes.parent), frame: Uint32Array.from(nodes.frame) });
  return { ...shape, before: weightsOf(nodes.before), after: weightsOf(nodes.after) };
}
