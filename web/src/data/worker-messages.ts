import type { Binary, FilterTexts, FunctionLines, ImportFormat, TreeHead, TreeShaping } from '@everflame/profile';
import type { DiffResult } from './diff-result.ts';
import type { Tree } from './tree-columns.ts';

/** How a tree is looked at; `isInverted` last. */
export interface View extends TreeShaping {
  readonly isInverted: boolean;
}

/** What the worker is asked. Buffers are handed over, not copied. */
export type Question =
  | { readonly kind: 'decode'; readonly bytes: ArrayBuffer }
  | { readonly kind: 'shape'; readonly tree: Tree; readonly view: View }
  | {
      readonly kind: 'import';
      readonly file: LocalFile;
      readonly filters: FilterTexts;
      readonly type: string;
      readonly byLine: boolean;
    }
  | {
      readonly kind: 'lines';
      readonly file: LocalFile;
      readonly filters: FilterTexts;
      readonly type: string;
      readonly name: string;
    }
  | { readonly kind: 'diff'; readonly before: LocalFile; readonly after: LocalFile }
  | { readonly kind: 'pprof'; readonly file: LocalFile }
  | { readonly kind: 'neighbours'; readonly tree: Tree; readonly name: string };

export interface Neighbours {
  readonly callers: Tree;
  readonly callees: Tree;
}

/** A file that the user gave to the page; it goes nowhere else. */
export interface LocalFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface LocalTree {
  readonly tree: Tree;
  readonly binaries: readonly Binary[];
  readonly format: ImportFormat;
  /** Value types of the file, `type/unit`; the one that is shown. */
  readonly types: readonly string[];
  readonly type: string;
  readonly unit: string;
  /** What was left out or rounded. */
  readonly notes: readonly string[];
}

export interface Answers {
  readonly import: LocalTree;
  readonly diff: DiffResult;
  readonly lines: FunctionLines;
  readonly pprof: Uint8Array<ArrayBuffer>;
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
