import type { TreeHead, TreeShaping } from '@everflame/profile';
import type { Tree } from './tree-columns.ts';

/** How a tree is looked at; `isInverted` last. */
export interface View extends TreeShaping {
  readonly isInverted: boolean;
}

/** What the worker is asked. Buffers are handed over, not copied. */
export type Question =
  | { readonly kind: 'decode'; readonly bytes: ArrayBuffer }
  | { readonly kind: 'shape'; readonly tree: Tree; readonly view: View }
  | { readonly kind: 'neighbours'; readonly tree: Tree; readonly name: string };

export interface Neighbours {
  readonly callers: Tree;
  readonly callees: Tree;
}

export interface Answers {
  readonly decode: { readonly head: TreeHead; readonly tree: Tree };
  readonly shape: Tree;
  readonly neighbours: Neighbours;
}

export interface Asked {
  readonly id: number;
  readonly question: Question;
}

export type Told =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string };
