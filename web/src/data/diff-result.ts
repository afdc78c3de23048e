import type { http } from '@everflame/protocols';
import type { DiffTree } from './tree-columns.ts';

export type DiffSide = http.DiffAnswer['before'];

export interface DiffResult {
  readonly tree: DiffTree;
  readonly unit: string;
  readonly before: DiffSide;
  readonly after: DiffSide;
  readonly functions: http.DiffAnswer['functions'];
}
