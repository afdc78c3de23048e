import { useEffect, useState } from 'preact/hooks';
import type { http } from '@everflame/protocols';
import type { Answer } from './api.ts';
import type { MergedTree } from './queries.ts';
import type { Tree } from './tree-columns.ts';

export interface ExactTree {
  readonly tree: Tree;
  /** Asks for the exact tree below a node, by its row and path id. */
  readonly open: (node: number, id: string) => void;
  readonly loading: boolean;
  readonly problem: http.Problem | null;
}

interface Wanted {
  readonly of: MergedTree;
  readonly node: number;
  readonly id: string;
}

/**
 * A tree in which whatever the server held back can be opened: the exact tree below a node comes in place of what is there.
 * `load` asks the server; `join` puts the part in.
 */
export function useExactTree(
  merged: MergedTree,
  load: (id: string, signal: AbortSignal) => Promise<Answer<MergedTree>>,
  join: (tree: Tree, node: number, part: Tree) => Tree,
): ExactTree {
  const [opened, setOpened] = useState<{ of: MergedTree; tree: Tree } | null>(null);
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const [problem, setProblem] = useState<http.Problem | null>(null);
  const tree = opened?.of === merged ? opened.tree : merged.tree;
  useEffect(() => {
    if (wanted === null || wanted.of !== merged) return undefined;
    const abort = new AbortController();
    setProblem(null);
    load(wanted.id, abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return;
        if (answer.ok) setOpened({ of: merged, tree: join(tree, wanted.node, answer.value.tree) });
        else setProblem(answer.problem);
        setWanted(null);
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const detail = error instanceof Error ? error.message : String(error);
        setProblem({ type: 'about:blank', title: 'This part cannot be shown', status: 0, code: 'page_bug', detail });
        setWanted(null);
      },
    );
    return () => abort.abort();
  }, [wanted, merged]);
  const open = (node: number, id: string) =>
    setWanted((last) => (last?.of === merged && last.node === node ? last : { of: merged, node, id }));
  return { tree, open, loading: wanted?.of === merged, problem };
}
