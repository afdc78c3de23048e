import type { Focus } from './layout.ts';
import { wholeTree } from './layout.ts';
import type { PathIds } from './path-id.ts';

/** The zoom as it stands in the URL: empty, a path's id, `id.N` for the N lightest children of it, or `id.M-N` without the M lightest. */
export function formatFocus(focus: Focus, ids: PathIds): string {
  if (focus.rest > 0) return `${ids.idOf(focus.node)}.${(focus.skip ?? 0) > 0 ? `${focus.skip}-` : ''}${focus.rest}`;
  return focus.node === 0 ? '' : ids.idOf(focus.node);
}

/** Null when the text names a place that this tree does not have. */
export function parseFocus(text: string, ids: PathIds): Focus | null {
  if (text === '') return wholeTree;
  const [id = '', rest] = text.split('.');
  const node = ids.nodeOf(id);
  if (node === null) return null;
  if (rest === undefined) return { node, rest: 0 };
  const [, skipped = '0', count = ''] = /^(?:(\d{1,9})-)?(\d{1,9})$/u.exec(rest) ?? [];
  const skip = Number(skipped);
  if (count === '' || Number(count) <= skip) return null;
  return { node, rest: Number(count), ...(skip > 0 && { skip }) };
}
