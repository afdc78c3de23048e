import { type FunctionColumns, FunctionSums, functionsOfTree, isFunction } from './functions.ts';
import { frameAt, type Frame } from './frame-table.ts';
import type { Tree } from './tree.ts';
import { walkTree } from './tree-walk.ts';

/** A function and its neighbours. The `total` of a caller (callee) is the value of the samples with a call from it (to it). */
export interface Callers {
  readonly function: Frame & {
    readonly total: bigint;
    readonly self: bigint;
    readonly samples: number;
    readonly selfSamples: number;
  };
  /** By total, then name. `self` and `selfSamples` are 0: an edge has none. That a function calls itself is no edge. */
  readonly callers: FunctionColumns;
  readonly callees: FunctionColumns;
}

/**
 * Who calls the function `name` and whom it calls, as `go tool pprof -peek` counts: each sample once per edge, however
 * often it recurses. Undefined when the tree has no such function.
 */
export function callersOf(tree: Tree, name: string): Callers | undefined {
  const wanted = tree.frames.name.findIndex((text, row) => text === name && isFunction(tree.frames.kind[row]));
  if (wanted < 0) return undefined;
  const rows = tree.frames.name.length;
  const callers = new FunctionSums(rows, tree);
  const callees = new FunctionSums(rows, tree);
  // How often the edge from (to) each frame is on the path from the root to here.
  const callersOnPath = new Uint32Array(rows);
  const calleesOnPath = new Uint32Array(rows);
  const count = (onPath: Uint32Array, frame: number, change: 1 | -1): number => {
    const before = onPath[frame] ?? 0;
    onPath[frame] = before + change;
    return before;
  };
  const edges = (node: number, change: 1 | -1): void => {
    if (node === 0) return;
    const frame = tree.frame[node] ?? 0;
    const parentFrame = tree.frame[tree.parent[node] ?? 0] ?? 0;
    if (frame === parentFrame) return;
    if (frame === wanted && count(callersOnPath, parentFrame, change) === 0 && change === 1) {
      callers.addTotal(parentFrame, node);
    }
    if (parentFrame === wanted && count(calleesOnPath, frame, change) === 0 && change === 1) {
      callees.addTotal(frame, node);
    }
  };
  walkTree(
    tree,
    (node) => edges(node, 1),
    (node) => edges(node, -1),
  );
  const all = functionsOfTree(tree);
  const row = all.frames.name.indexOf(name);
  return {
    function: {
      ...frameAt(tree.frames, wanted),
      total: all.total[row] ?? 0n,
      self: all.self[row] ?? 0n,
      samples: all.samples[row] ?? 0,
      selfSamples: all.selfSamples[row] ?? 0,
    },
    callers: callers.columns((frame) => isFunction(tree.frames.kind[frame])),
    callees: callees.columns((frame) => isFunction(tree.frames.kind[frame])),
  };
}
