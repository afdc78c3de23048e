import { discard } from '@everflame/profile';

/** The nodes of one answer, callers first; node 0 is the root. Values are above 0, but for the root's. */
export class UsedNodes {
  readonly parent: Uint32Array;
  readonly frame: Uint32Array;
  readonly samples: Float64Array;
  readonly selfSamples: Float64Array;
  /** Empty where each value is the same number times its count. */
  readonly total: Float64Array;
  readonly self: Float64Array;
  /** Nodes with a smaller weight are not here, but as what is left out below those that are. */
  readonly least: number;
  readonly left: Uint32Array;
  readonly leftSamples: Float64Array;
  /** Empty as `total` is. */
  readonly leftTotal: Float64Array;

  /** `isLimited`: something may be left out; `isApart`: values have columns of their own. */
  constructor(length: number, least: number, isLimited: boolean, isApart: boolean) {
    this.parent = new Uint32Array(length);
    this.frame = new Uint32Array(length);
    this.samples = new Float64Array(length);
    this.selfSamples = new Float64Array(length);
    this.total = new Float64Array(isApart ? length : 0);
    this.self = new Float64Array(isApart ? length : 0);
    this.least = least;
    this.left = new Uint32Array(isLimited ? length : 0);
    this.leftSamples = new Float64Array(isLimited ? length : 0);
    this.leftTotal = new Float64Array(isLimited && isApart ? length : 0);
  }

  /** By which a node is among the greatest: its total, or what is that divided by one number. */
  get weight(): Float64Array {
    return this.total.length > 0 ? this.total : this.samples;
  }

  /** A child of `parent` is left out. */
  leave(parent: number, total: number, samples: number): void {
    this.left[parent] = (this.left[parent] ?? 0) + 1;
    this.leftSamples[parent] = (this.leftSamples[parent] ?? 0) + samples;
    if (this.leftTotal.length > 0) this.leftTotal[parent] = (this.leftTotal[parent] ?? 0) + total;
  }
}

/** By row of a limited tree: how many children it stands for, with what. 0: it is a node. */
export interface RestRows {
  readonly count: Uint32Array;
  readonly samples: Float64Array;
  /** Empty as that of the nodes is. */
  readonly total: Float64Array;
}

/**
 * Rows in depth-first order, siblings by the rank of their frames: the node of each. With `maxNodes` those with the greatest
 * totals stay, as in `limitTree`, and each node with children that were left out has one row more for these behind them.
 */
export function orderNodes(
  nodes: UsedNodes,
  rank: Uint32Array,
  maxNodes: number | undefined,
): { readonly order: Uint32Array; readonly rest: RestRows | null } {
  const order = depthFirst(nodes, rank);
  return maxNodes === undefined ? { order, rest: null } : withRemainders(nodes, order, maxNodes);
}

/** Nodes in depth-first order, siblings by the rank of their frames. */
export function depthFirst({ parent, frame }: Pick<UsedNodes, 'parent' | 'frame'>, rank: Uint32Array): Uint32Array {
  const { length } = parent;
  const start = new Uint32Array(rank.length + 1);
  for (let node = 0; node < length; node++) {
    const key = (rank[frame[node] ?? 0] ?? 0) + 1;
    start[key] = (start[key] ?? 0) + 1;
  }
  for (let key = 0; key < rank.length; key++) start[key + 1] = (start[key + 1] ?? 0) + (start[key] ?? 0);
  const byRank = new Uint32Array(length);
  for (let node = 0; node < length; node++) {
    const key = rank[frame[node] ?? 0] ?? 0;
    const at = start[key] ?? 0;
    byRank[at] = node;
    start[key] = at + 1;
  }
  // Lists of siblings are made from the back, so that the first in name comes first. 0 ends a list: the root is in none.
  const firstChild = new Uint32Array(length);
  const nextSibling = new Uint32Array(length);
  for (let i = length - 1; i >= 0; i--) {
    const node = byRank[i] ?? 0;
    if (node === 0) continue;
    const up = parent[node] ?? 0;
    nextSibling[node] = firstChild[up] ?? 0;
    firstChild[up] = node;
  }
  const order = new Uint32Array(length);
  for (let node = 0, row = 0; row < length; row++) {
    order[row] = node;
    const child = firstChild[node] ?? 0;
    if (child !== 0) node = child;
    else {
      while (node !== 0 && nextSibling[node] === 0) node = parent[node] ?? 0;
      node = nextSibling[node] ?? 0;
    }
  }
  discard(byRank, firstChild, nextSibling);
  return order;
}

/** Of the nodes with the least total the first ones stay while there is room. */
function withRemainders(
  nodes: UsedNodes,
  order: Uint32Array,
  maxNodes: number,
): { readonly order: Uint32Array; readonly rest: RestRows } {
  const { parent, weight, total, samples, least, left, leftTotal, leftSamples } = nodes;
  const isShown = new Uint8Array(parent.length);
  let room = Math.max(1, maxNodes);
  for (const value of weight) if (value > least) room--;
  if ((weight[0] ?? 0) <= least) room--;
  for (const node of order) {
    const up = parent[node] ?? 0;
    isShown[node] = node === 0 || (isShown[up] === 1 && ((weight[node] ?? 0) > least || --room >= 0)) ? 1 : 0;
  }
  let rows = 0;
  for (let node = 0; node < parent.length; node++) {
    if (isShown[node] === 1) rows++;
    else if (isShown[parent[node] ?? 0] === 1) nodes.leave(parent[node] ?? 0, total[node] ?? 0, samples[node] ?? 0);
  }
  for (let node = 0; node < parent.length; node++) if (isShown[node] === 1 && (left[node] ?? 0) > 0) rows++;
  const places = new Uint32Array(rows);
  const rest = {
    count: new Uint32Array(rows),
    samples: new Float64Array(rows),
    total: new Float64Array(total.length > 0 ? rows : 0),
  };
  const path: number[] = [];
  let row = 0;
  const close = (node: number) => {
    const count = left[node] ?? 0;
    if (count === 0) return;
    places[row] = node;
    rest.count[row] = count;
    rest.samples[row] = leftSamples[node] ?? 0;
    if (rest.total.length > 0) rest.total[row] = leftTotal[node] ?? 0;
    row++;
  };
  for (const node of order) {
    if (isShown[node] === 0) continue;
    const up = parent[node] ?? 0;
    for (let last = path.at(-1); last !== undefined && last !== up; last = path.at(-1)) {
      close(last);
      path.pop();
    }
    places[row++] = node;
    path.push(node);
  }
  for (let last = path.pop(); last !== undefined; last = path.pop()) close(last);
  return { order: places, rest };
}

/** The n-th greatest number, of which they lose their order. By Hoare's selection, in linear time on average. */
export function nthGreatest(values: Float64Array, n: number): number {
  const wanted = Math.max(0, values.length - Math.max(1, n));
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >>> 1] ?? 0;
    let i = low;
    let j = high;
    while (i <= j) {
      while ((values[i] ?? 0) < pivot) i++;
      while ((values[j] ?? 0) > pivot) j--;
      if (i > j) break;
      const value = values[i] ?? 0;
      values[i++] = values[j] ?? 0;
      values[j--] = value;
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return values[wanted] ?? 0;
}
