import type { RestRows } from './tree-run.ts';

/** The nodes of one answer, callers first; node 0 is the root. Values are not below 0. */
export interface UsedNodes {
  readonly parent: Uint32Array;
  readonly frame: Uint32Array;
  readonly total: Float64Array;
  readonly self: Float64Array;
  readonly samples: Float64Array;
  readonly selfSamples: Float64Array;
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
  const least = maxNodes === undefined ? 0 : nthGreatest(nodes.total, maxNodes);
  const isAll = maxNodes === undefined || maxNodes >= nodes.parent.length;
  const isKept = isAll ? null : nodes.total.map((total) => (total >= least ? 1 : 0));
  const order = depthFirst(nodes, rank, isKept);
  if (maxNodes === undefined) return { order, rest: null };
  return withRemainders(nodes, order, isAll ? -1 : least, maxNodes);
}

/** Of the nodes that are kept; a node is only where its parent is. */
function depthFirst({ parent, frame }: UsedNodes, rank: Uint32Array, isKept: ArrayLike<number> | null): Uint32Array {
  const { length } = parent;
  const start = new Uint32Array(rank.length + 1);
  let count = 0;
  for (let node = 0; node < length; node++) {
    if (isKept !== null && isKept[node] === 0 && node > 0) continue;
    const key = (rank[frame[node] ?? 0] ?? 0) + 1;
    start[key] = (start[key] ?? 0) + 1;
    count++;
  }
  for (let key = 0; key < rank.length; key++) start[key + 1] = (start[key + 1] ?? 0) + (start[key] ?? 0);
  const byRank = new Uint32Array(count);
  for (let node = 0; node < length; node++) {
    if (isKept !== null && isKept[node] === 0 && node > 0) continue;
    const key = rank[frame[node] ?? 0] ?? 0;
    const at = start[key] ?? 0;
    byRank[at] = node;
    start[key] = at + 1;
  }
  // Lists of siblings are made from the back, so that the first in name comes first. 0 ends a list: the root is in none.
  const firstChild = new Uint32Array(length);
  const nextSibling = new Uint32Array(length);
  for (let i = count - 1; i >= 0; i--) {
    const node = byRank[i] ?? 0;
    if (node === 0) continue;
    const up = parent[node] ?? 0;
    nextSibling[node] = firstChild[up] ?? 0;
    firstChild[up] = node;
  }
  const order = new Uint32Array(count);
  for (let node = 0, row = 0; row < count; row++) {
    order[row] = node;
    const child = firstChild[node] ?? 0;
    if (child !== 0) node = child;
    else {
      while (node !== 0 && nextSibling[node] === 0) node = parent[node] ?? 0;
      node = nextSibling[node] ?? 0;
    }
  }
  return order;
}

/** `least`: totals below it are left out, of those that have it the first ones stay while there is room; -1: all stay. */
function withRemainders(
  { parent, total, samples }: UsedNodes,
  order: Uint32Array,
  least: number,
  maxNodes: number,
): { readonly order: Uint32Array; readonly rest: RestRows } {
  const { length } = parent;
  const isShown = new Uint8Array(length);
  let room = Math.max(1, maxNodes);
  for (const value of total) if (value > least) room--;
  if ((total[0] ?? 0) <= least) room--;
  for (const node of order) {
    const up = parent[node] ?? 0;
    isShown[node] = node === 0 || (isShown[up] === 1 && ((total[node] ?? 0) > least || --room >= 0)) ? 1 : 0;
  }
  const left = new Uint32Array(length);
  const leftTotal = new Float64Array(length);
  const leftSamples = new Float64Array(length);
  let rows = 0;
  for (let node = 0; node < length; node++) {
    if (isShown[node] === 1) {
      rows++;
      continue;
    }
    const up = parent[node] ?? 0;
    if (isShown[up] === 0) continue;
    if (left[up] === 0) rows++;
    left[up] = (left[up] ?? 0) + 1;
    leftTotal[up] = (leftTotal[up] ?? 0) + (total[node] ?? 0);
    leftSamples[up] = (leftSamples[up] ?? 0) + (samples[node] ?? 0);
  }
  const places = new Uint32Array(rows);
  const rest = { count: new Uint32Array(rows), total: new Float64Array(rows), samples: new Float64Array(rows) };
  const path: number[] = [];
  let row = 0;
  const close = (node: number) => {
    const count = left[node] ?? 0;
    if (count === 0) return;
    places[row] = node;
    rest.count[row] = count;
    rest.total[row] = leftTotal[node] ?? 0;
    rest.samples[row] = leftSamples[node] ?? 0;
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

/** The n-th greatest number, the least one when there are fewer. By Hoare's selection, in linear time on average. */
function nthGreatest(numbers: Float64Array, n: number): number {
  const values = numbers.slice();
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
