import { isUnchanged } from '@everflame/profile';
import { useMemo, useRef } from 'preact/hooks';
import { failure } from './api.ts';
import { askWorker } from './ask-worker.ts';
import type { Tree } from './tree-columns.ts';
import { type Loaded, useQuery } from './use-query.ts';
import type { View } from './worker-messages.ts';

/** A tree as the view wants it: at once when that is as it is, else made beside the page. */
export function useShapedTree(tree: Tree, view: View): Loaded<Tree> {
  const isPlain = isUnchanged(view) && !view.isInverted;
  const key = useTreeKey(tree);
  const shaped = useQuery(isPlain ? null : `${key} ${JSON.stringify(view)}`, async (signal) => {
    try {
      return { ok: true, value: await askWorker<'shape'>({ kind: 'shape', tree, view }, signal) };
    } catch (error) {
      if (signal.aborted) throw error;
      return failure(0, 'worker', 'This view cannot be made', error instanceof Error ? error.message : String(error));
    }
  });
  return useMemo(
    () => (isPlain ? { value: tree, problem: null, loading: false } : shaped),
    [isPlain, tree, shaped.value, shaped.problem, shaped.loading],
  );
}

/** A name for each tree that is given, one after the other. */
export function useTreeKey(tree: Tree): number {
  const known = useRef<{ tree: Tree; key: number }>({ tree, key: 0 });
  if (known.current.tree !== tree) known.current = { tree, key: known.current.key + 1 };
  return known.current.key;
}
