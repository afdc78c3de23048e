import type { TreeShape, Weights } from '../data/tree-columns.ts';

/** Exact values as numbers, good for widths and for nothing that is shown. Below zero (possible in pprof) is no width. */
export function widthsOf(weights: Weights): Float64Array {
  return Float64Array.from(weights.total, (value) => Math.max(Number(value), 0));
}

/** The same tree with the children of each node from the heaviest to the lightest; equal ones keep their order. */
export function heaviestFirst<T extends TreeShape>(tree: T, widths: Float64Array): T {
  const children = tree.children.slice();
  for (let node = 0; node < tree.length; node++) {
    const from = tree.childOffset[node] ?? 0;
    const until = tree.childOffset[node + 1] ?? 0;
    if (until - from > 1) {
      children.subarray(from, until).sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0) || a - b);
    }
  }
  return { ...tree, children };
}

/** Children of a node, in the tree's order. */
export function childrenOf(tree: TreeShape, node: number): Uint32Array {
  return tree.children.subarray(tree.childOffset[node], tree.childOffset[node + 1]);
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

/** Marks `node` and everything below it. */
export function subtreeMask(tree: TreeShape, roots: Iterable<number>): Uint8Array {
  const inside = new Uint8Array(tree.length);
  for (const root of roots) inside[root] = 1;
  for (let node = 1; node < tree.length; node++) {
    if (inside[tree.parent[node] ?? 0] === 1) inside[node] = 1;
  }
  return inside;
}
