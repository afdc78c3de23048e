import type { TreeShape } from './tree.ts';

/**
 * Visits all nodes in depth-first order, calling `leave` for every node when its subtree is done. No recursion: stacks are
 * as deep as programs make them. Nodes must be in depth-first order, as those of every `Tree` are.
 */
export function walkTree(tree: TreeShape, enter: (node: number) => void, leave: (node: number) => void): void {
  const path: number[] = [];
  for (let node = 0; node < tree.parent.length; node++) {
    const parent = node === 0 ? -1 : (tree.parent[node] ?? 0);
    for (let last = path.at(-1); last !== undefined && last !== parent; last = path.at(-1)) {
      leave(last);
      path.pop();
    }
    enter(node);
    path.push(node);
  }
  for (let last = path.pop(); last !== undefined; last = path.pop()) leave(last);
}
