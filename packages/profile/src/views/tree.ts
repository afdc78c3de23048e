import { PairTable } from '../tables/pair-table.ts';
import type { FrameColumns } from './frame-table.ts';

/** What a node or a function amounts to. Columns of equal length. */
export interface Amounts {
  /** Value of the samples that pass through. */
  readonly total: BigInt64Array;
  /** Value of the samples that end here. */
  readonly self: BigInt64Array;
  /** Sample counts behind `total` and `self`. */
  readonly samples: Float64Array;
  readonly selfSamples: Float64Array;
  /**
   * Where it is there, all are whole numbers from 0 to 2^53 and each value is its count times this, which is above 0. Then `total` and `self` are made when
   * they are first asked for (`counted`): do without them where that is possible.
   */
  readonly perSample?: number;
}

/**
 * Which nodes there are. Node 0 is the root and its own parent; parents precede children; nodes are in depth-first order,
 * siblings by name (by UTF-16 units).
 */
export interface TreeShape {
  readonly frames: FrameColumns;
  readonly parent: Uint32Array;
  /** Row in `frames`. */
  readonly frame: Uint32Array;
}

/** A merged call tree of one sample type. */
export interface Tree extends TreeShape, Amounts {}

/** Grows a tree's shape; nodes are numbered as they come, `sorted` puts them in order. */
export class TreeNodes {
  readonly #nodes: PairTable;

  constructor(expected = 256) {
    this.#nodes = new PairTable(expected);
    this.#nodes.intern(0, 0);
  }

  get length(): number {
    return this.#nodes.length;
  }

  /** The child of `parent` with this frame; made when there is none. Frame 0 is the root's and never a child's. */
  child(parent: number, frame: number): number {
    return this.#nodes.intern(parent, frame);
  }

  parentOf(node: number): number {
    return this.#nodes.first(node);
  }

  /** The nodes in their final order: `order[i]` is the node that becomes `i`; and the shape of the tree so ordered. */
  sorted(frames: FrameColumns): { readonly order: Uint32Array; readonly shape: TreeShape } {
    const length = this.length;
    const rank = ranks(frames);
    const frameOf = this.#nodes.columns().second;
    const byRank = countingOrder(length, frames.name.length, (node) => rank[frameOf[node] ?? 0] ?? 0);
    // Sibling lists are built from the back, so that the first in name comes first.
    const firstChild = new Int32Array(length).fill(-1);
    const nextSibling = new Int32Array(length).fill(-1);
    for (let i = length - 1; i >= 0; i--) {
      const node = byRank[i] ?? 0;
      if (node === 0) continue;
      const up = this.parentOf(node);
      nextSibling[node] = firstChild[up] ?? -1;
      firstChild[up] = node;
    }
    const order = new Uint32Array(length);
    const place = new Uint32Array(length);
    const parent = new Uint32Array(length);
    const frame = new Uint32Array(length);
    let node = 0;
    for (let at = 0; at < length; at++) {
      order[at] = node;
      place[node] = at;
      parent[at] = place[this.parentOf(node)] ?? 0;
      frame[at] = frameOf[node] ?? 0;
      node = next(node, firstChild, nextSibling, (child) => this.parentOf(child));
    }
    return { order, shape: { frames, parent, frame } };
  }
}

/** The node after `node` in depth-first order; 0 at the end. */
function next(
  node: number,
  firstChild: Int32Array,
  nextSibling: Int32Array,
  parentOf: (node: number) => number,
): number {
  const child = firstChild[node] ?? -1;
  if (child >= 0) return child;
  let at = node;
  while (at !== 0) {
    const sibling = nextSibling[at] ?? -1;
    if (sibling >= 0) return sibling;
    at = parentOf(at);
  }
  return 0;
}

/** The place of each frame when all are sorted by name; frames of one name (a group and a function) by row. */
export function ranks(frames: FrameColumns): Uint32Array {
  const rows = frames.name.map((_, row) => row);
  rows.sort((a, b) => compareText(frames.name[a] ?? '', frames.name[b] ?? '') || a - b);
  const rank = new Uint32Array(rows.length);
  for (const [place, row] of rows.entries()) rank[row] = place;
  return rank;
}

/** By UTF-16 units: the same everywhere, whatever the locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** 0…length−1 sorted by a small key, stably, in linear time. */
function countingOrder(length: number, keys: number, keyOf: (item: number) => number): Uint32Array {
  const start = new Uint32Array(keys + 1);
  for (let i = 0; i < length; i++) {
    const key = keyOf(i);
    start[key + 1] = (start[key + 1] ?? 0) + 1;
  }
  for (let key = 0; key < keys; key++) start[key + 1] = (start[key + 1] ?? 0) + (start[key] ?? 0);
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    const key = keyOf(i);
    const at = start[key] ?? 0;
    order[at] = i;
    start[key] = at + 1;
  }
  return order;
}
