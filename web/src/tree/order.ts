import type { TreeShape, Weights } from '../data/tree-columns.ts';

const high = 2 ** 32;

/** Exact values as numbers, good for widths and for nothing that is shown. Below zero (possible in pprof) is no width. */
export function widthsOf({ total }: Weights): Float64Array {
  // Read as halves: a BigInt for each row costs ten times as much.
  const halves = new Uint32Array(total.buffer, total.byteOffset, total.length * 2);
  const tops = new Int32Array(total.buffer, total.byteOffset, total.length * 2);
  const widths = new Float64Array(total.length);
  for (let node = 0; node < widths.length; node++) {
    const value = (tops[node * 2 + 1] ?? 0) * high + (halves[node * 2] ?? 0);
    widths[node] = value > 0 ? value : 0;
  }
  return widths;
}

/** Children of a node, in the tree's order. */
export function childrenOf({ end }: TreeShape, node: number): number[] {
  const children: number[] = [];
  const last = end[node] ?? 0;
  for (let child = node + 1; child < last; child = end[child] ?? last) children.push(child);
  return children;
}

/** From the root (first) to `node` (last). */
export function ancestry(tree: TreeShape, node: number): number[] {
  const path = [node];
  for (let at = node; at !== 0;) {
    at = tree.parent[at] ?? 0;
    path.push(at);
  }
  return path.reverse();
}
