import type { Focus } from './layout.ts';
import { wholeTree } from './layout.ts';
import type { PathIds } from './path-id.ts';

/** The zoom as it stands in the URL: empty, a path's id, or `id.N` for the N lightest children of it. */
export function formatFocus(focus: Focus, ids: PathIds): string {
  if (focus.rest > 0) return `${ids.idOf(focus.node)}.${focus.rest}`;
  return focus.node === 0 ? '' : ids.idOf(focus.node);
}

/** Null when the text names a place that this tree does not have. */
export function parseFocus(text: string, ids: PathIds): Focus | null {
  if (text === '') return wholeTree;
  const [id = '', rest] = text.split('.');
  const node = ids.nodeOf(id);
  if (node === null) return null;
  if (rest === undefined) return { node, rest: 0 };
  const count = Number(rest);
  return Number.isSafeInteger(count) && count > 0 ? { node, rest: count } : null;
}
