import { type FunctionColumns, FunctionSums, functionsOfTree, isFunction } from './functions.ts';
import { frameAt, type Frame } from './frame-table.ts';
import { Outermost, subtreeSizes } from './subtrees.ts';
import type { Tree } from './tree.ts';

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
  const callers = new FunctionSums(tree.frames, tree);
  const callees = new FunctionSums(tree.frames, tree);
  const sizes = subtreeSizes(tree);
  // By the frame that an edge comes from (goes to).
  const fromCallers = new Outermost(sizes, rows);
  const toCallees = new Outermost(sizes, rows);
  for (let node = 1; node < tree.frame.length; node++) {
    const frame = tree.frame[node] ?? 0;
    const parentFrame = tree.frame[tree.parent[node] ?? 0] ?? 0;
    if (frame === parentFrame) continue;
    if (frame === wanted && fromCallers.isNext(parentFrame, node)) callers.addTotal(parentFrame, node);
    if (parentFrame === wanted && toCallees.isNext(frame, node)) callees.addTotal(frame, node);
  }
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
