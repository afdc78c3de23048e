import { discard } from './tables/discard.ts';
import type { Tree } from './views/tree.ts';

/** Gives back the memory of a tree's columns. It must not be used afterwards: they are empty. */
export function discardTree(tree: Tree): void {
  discard(tree.parent, tree.frame, tree.samples, tree.selfSamples);
  // Else they may not have been made yet.
  if (tree.perSample === undefined) discard(tree.total, tree.self);
}
