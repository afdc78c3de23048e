import { type Amounts, counted, type DiffTree, discard, int64sOf } from '@everflame/profile';
import { depthFirst } from './order-nodes.ts';
import { OwnFrames } from './own-frames.ts';
import type { TreeIndex } from './tree-index.ts';
import type { TreeRun } from './tree-run.ts';

/**
 * The union of two trees, as `diffTrees` makes it: both are sums by node of one index, so that nodes need not be found again. `after` has its
 * sums in `otherNodeSums`. Null: `MergeRun` has to answer.
 */
export function pairedTree(index: TreeIndex, before: TreeRun, after: TreeRun): DiffTree | null {
  if (!before.isNamedForSure || !after.isNamedForSure) return null;
  const { pairs } = index.nodes;
  for (const { nodeSums } of [before, after]) nodeSums.reserve(index.nodes.length);
  before.nodeSums.addUp(pairs);
  const nodes = before.nodeSums.withRows(after.nodeSums.addUp(pairs));
  if (!before.isExact || !after.isExact) return null;
  const used = shapeOf(nodes, pairs, before.nodeSums.places);
  const order = depthFirst(used, index.ranks());
  const { length } = order;
  const frames = new OwnFrames(index.names, [...before.origins, ...after.origins]);
  const parent = new Uint32Array(length);
  const frame = new Uint32Array(length);
  const rowOf = new Uint32Array(length);
  for (let row = 0; row < length; row++) {
    const at = order[row] ?? 0;
    rowOf[at] = row;
    parent[row] = rowOf[used.parent[at] ?? 0] ?? 0;
    frame[row] = frames.row(used.frame[at] ?? 0);
    // From here on: which node of the index each row is.
    order[row] = nodes[at] ?? 0;
  }
  discard(rowOf, used.parent, used.frame, nodes);
  const tree = {
    frames: frames.columns(),
    parent,
    frame,
    before: amountsOf(before, order),
    after: amountsOf(after, order),
  };
  discard(order);
  for (const { nodeSums } of [before, after]) if (nodeSums.isLarge) nodeSums.discard();
  return tree;
}

/** Places of callers, and frames of the index. `nodes` ascend; `place` is filled. */
function shapeOf(nodes: Uint32Array, pairs: Uint32Array, place: Uint32Array) {
  const parent = new Uint32Array(nodes.length);
  const frame = new Uint32Array(nodes.length);
  for (let at = 1; at < nodes.length; at++) {
    const node = nodes[at] ?? 0;
    place[node] = at;
    parent[at] = place[pairs[node * 2] ?? 0] ?? 0;
    frame[at] = pairs[node * 2 + 1] ?? 0;
  }
  return { parent, frame };
}

function amountsOf({ nodeSums: { total, self }, perCount }: TreeRun, nodes: Uint32Array): Amounts {
  const ordered = (column: Float64Array): Float64Array<ArrayBuffer> => {
    const result = new Float64Array(nodes.length);
    for (let row = 0; row < nodes.length; row++) result[row] = column[nodes[row] ?? 0] ?? 0;
    return result;
  };
  const counts = { samples: ordered(total.counts), selfSamples: ordered(self.counts) };
  if (perCount > 0) return counted(counts, perCount);
  return { ...counts, total: int64sOf(ordered(total.values)), self: int64sOf(ordered(self.values)) };
}
