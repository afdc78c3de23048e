import { frameAt, FrameTable } from './frame-table.ts';
import { subtreeSizes } from './subtrees.ts';
import type { Tree } from './tree.ts';

export interface TreeLimits {
  /** Levels below the first node; 0 leaves that alone. */
  readonly maxDepth?: number;
  /** Nodes whose total is nearer to 0 are left out. */
  readonly minValue?: bigint;
  /** The nodes with the greatest totals stay; remainders come on top of them, at most one for each. */
  readonly maxNodes?: number;
}

/** A part of a tree whose first node may be any node. */
export interface LimitedTree extends Tree {
  /**
   * 0 for a node of the whole tree. Else the row is a remainder: it stands for the children of its parent that were left
   * out, so many of them, and has exactly their total and samples. Its frame is named `REMAINDER`, kind `group`.
   */
  readonly rest: Uint32Array;
}

/** The name of the frame of all remainders. */
export const REMAINDER = '(more)';

/**
 * The tree below `first` without what the limits leave out; for each node at most one remainder stands for that, so that
 * every total is still the sum of self and children. Rows are in depth-first order, remainders behind their siblings.
 */
export function limitTree(tree: Tree, limits: TreeLimits = {}, first = 0): LimitedTree {
  const sizes = subtreeSizes(tree);
  const end = first + (sizes[first] ?? 0);
  const isKept = keptNodes(tree, limits, first, end);
  const rows = new LimitedRows(tree);
  /** The nodes above, with their rows and what is left out below each. */
  const path: { readonly node: number; readonly row: number; readonly children: number[] }[] = [];
  const close = () => {
    const last = path.pop();
    if (last !== undefined && last.children.length > 0) rows.addRemainder(last.row, last.children);
  };
  for (let node = first; node < end;) {
    const size = sizes[node] ?? 1;
    for (let last = path.at(-1); last !== undefined && last.node + (sizes[last.node] ?? 0) <= node; last = path.at(-1))
      close();
    const above = path.at(-1);
    if (isKept[node - first] === 1) {
      path.push({ node, row: rows.add(node, above?.row ?? 0), children: [] });
      node++;
    } else {
      above?.children.push(node);
      node += size;
    }
  }
  while (path.length > 0) close();
  return rows.tree();
}

/** A node stays only where its parent does. */
function keptNodes(tree: Tree, { maxDepth, minValue, maxNodes }: TreeLimits, first: number, end: number): Uint8Array {
  const length = end - first;
  const isKept = new Uint8Array(length);
  const depth = new Uint32Array(length);
  const distance = Float64Array.from({ length }, (_, i) => Math.abs(Number(tree.total[first + i] ?? 0n)));
  const least = minValue === undefined ? 0n : minValue < 0n ? -minValue : minValue;
  for (let i = 0; i < length; i++) {
    const up = i === 0 ? 0 : (tree.parent[first + i] ?? 0) - first;
    if (i > 0) depth[i] = (depth[up] ?? 0) + 1;
    const total = tree.total[first + i] ?? 0n;
    const isLarge = (total < 0n ? -total : total) >= least;
    const isNear = maxDepth === undefined || (depth[i] ?? 0) <= maxDepth;
    isKept[i] = i === 0 || (isKept[up] === 1 && isLarge && isNear) ? 1 : 0;
  }
  if (maxNodes === undefined) return isKept;
  const kept = distance.filter((_, i) => isKept[i] === 1).sort();
  if (kept.length <= maxNodes) return isKept;
  const threshold = kept[kept.length - Math.max(1, maxNodes)] ?? 0;
  // Of those at the threshold the first ones, so that the bound holds. The first node of all always stays.
  let room = Math.max(1, maxNodes) - kept.reduce((sum, value) => sum + (value > threshold ? 1 : 0), 0);
  if ((distance[0] ?? 0) <= threshold) room--;
  for (let i = 1; i < length; i++) {
    const up = (tree.parent[first + i] ?? 0) - first;
    const value = distance[i] ?? 0;
    if (isKept[up] === 0 || value < threshold) isKept[i] = 0;
    else if (isKept[i] === 1 && value === threshold && --room < 0) isKept[i] = 0;
  }
  return isKept;
}

class LimitedRows {
  readonly #tree: Tree;
  readonly #frames = new FrameTable();
  readonly #frameRows: Int32Array;
  /** Node of each row; -1: a remainder. */
  readonly #nodes: number[] = [];
  readonly #parent: number[] = [];
  readonly #frame: number[] = [];
  readonly #rest: number[] = [];
  readonly #remainders: { readonly row: number; readonly children: readonly number[] }[] = [];

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#frameRows = new Int32Array(tree.frames.name.length).fill(-1);
  }

  add(node: number, parent: number): number {
    const source = this.#tree.frame[node] ?? 0;
    if ((this.#frameRows[source] ?? -1) < 0) {
      this.#frameRows[source] = this.#frames.intern(frameAt(this.#tree.frames, source));
    }
    return this.#push(node, parent, this.#frameRows[source] ?? 0, 0);
  }

  addRemainder(parent: number, children: readonly number[]): void {
    const frame = this.#frames.intern({ name: REMAINDER, file: '', binary: '', kind: 'group' });
    this.#remainders.push({ row: this.#push(-1, parent, frame, children.length), children });
  }

  tree(): LimitedTree {
    const nodes = this.#nodes;
    const source = this.#tree;
    const exact = (column: BigInt64Array) => BigInt64Array.from(nodes, (node) => column[node] ?? 0n);
    const counts = (column: Float64Array) => Float64Array.from(nodes, (node) => column[node] ?? 0);
    const total = exact(source.total);
    const samples = counts(source.samples);
    for (const { row, children } of this.#remainders) {
      for (const child of children) {
        total[row] = (total[row] ?? 0n) + (source.total[child] ?? 0n);
        samples[row] = (samples[row] ?? 0) + (source.samples[child] ?? 0);
      }
    }
    return {
      frames: this.#frames.columns(),
      parent: Uint32Array.from(this.#parent),
      frame: Uint32Array.from(this.#frame),
      rest: Uint32Array.from(this.#rest),
      total,
      self: exact(source.self),
      samples,
      selfSamples: counts(source.selfSamples),
    };
  }

  #push(node: number, parent: number, frame: number, rest: number): number {
    this.#parent.push(parent);
    this.#frame.push(frame);
    this.#rest.push(rest);
    return this.#nodes.push(node) - 1;
  }
}
