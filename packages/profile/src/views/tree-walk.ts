import type { TreeShape } from './tree.ts';

/**
 * Visits all nodes in depth-first order, calling `leave` for every node when its subtree is done. No recursion: stacks are
 * as deep as programs make them. Nodes must be in depth-first order, as those of every `Tree` are.
 */
export function walkTree(tree: TreeShape, enter: (node: number) => void, leave: (node: number) => void): void {
  const { parent } = tree;
  /** The node visited last whose subtree is not done. */
  let last = -1;
  const leaveUpTo = (end: number) => {
    while (last !== end) {
      leave(last);
      last = last === 0 ? -1 : (parent[last] ?? 0);
    }
  };
  for (let node = 0; node < parent.length; node++) {
    leaveUpTo(node === 0 ? -1 : (parent[node] ?? 0));
    enter(node);
    last = node;
  }
  leaveUpTo(-1);
}
