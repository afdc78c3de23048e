import type { TreeShape } from '../data/tree-columns.ts';
import { ancestry, childrenOf } from './order.ts';

/**
 * What the picture is zoomed to: a node, or, with `rest > 0`, only the `rest` lightest children of it without the `skip`
 * lightest of these: what a wider zoom had to gather because each of them was narrower than a pixel.
 */
export interface Focus {
  readonly node: number;
  readonly rest: number;
  /** Left out: 0. */
  readonly skip?: number;
}

/** How many children a remainder stands for; 0 for a node. */
export function restCount({ rest, skip = 0 }: Focus): number {
  return rest - skip;
}

export const wholeTree: Focus = { node: 0, rest: 0 };

/** One row of a layout. A row with `rest > 0` is a remainder, see `Focus`: none of its members is a pixel wide. */
export interface Row extends Focus {
  /** Index of the row above; the first row's is 0. */
  readonly parent: number;
  /** In the unit of the widths given. Ancestors of the focus have that of the focus: they are drawn as wide as it. */
  readonly width: number;
  readonly isAncestor: boolean;
}

export interface Layout {
  readonly focus: Focus;
  /** Parents before children. */
  readonly rows: readonly Row[];
  /** Index of the row that is the focus. */
  readonly focusRow: number;
  /** Rows from the top to the deepest, at least 1. */
  readonly depth: number;
  /** How many rows are frames, how many are remainders. */
  readonly frames: number;
  readonly remainders: number;
}

/** Children of `node` that have any width, from the lightest on, without the first `skip`, `count` with those; in the order of rows. */
export function lightestChildren(
  tree: TreeShape,
  widths: Float64Array,
  node: number,
  count: number,
  skip = 0,
): number[] {
  const all = childrenOf(tree, node).filter((child) => (widths[child] ?? 0) > 0);
  const ranked = all.toSorted((a, b) => (widths[a] ?? 0) - (widths[b] ?? 0) || b - a);
  const kept = new Set(ranked.slice(skip, count));
  return all.filter((child) => kept.has(child));
}

/** How many functions a remainder stands for; rows that the server held back count as what they stand for. */
export function functionsIn(tree: TreeShape, widths: Float64Array, row: Focus): number {
  if (tree.rest.length === 0 || row.rest === 0) return restCount(row);
  return membersOf(tree, widths, row).reduce((sum, node) => sum + Math.max(tree.rest[node] ?? 0, 1), 0);
}

/** The nodes that a focus or a row stands for: itself, or the members of a remainder. */
export function membersOf(tree: TreeShape, widths: Float64Array, { node, rest, skip }: Focus): readonly number[] {
  return rest === 0 ? [node] : lightestChildren(tree, widths, node, rest, skip);
}

/**
 * What is drawn of a tree at one zoom: the focus, the path that leads to it, and every frame below it that is at least
 * `minPx` wide when the focus is `widthPx` wide. What is narrower is one remainder for each parent, so that the rows below
 * a parent stand for all of its children, exactly. Children are drawn from the heaviest to the lightest by `order`. Looks at
 * nothing but the children of what is drawn.
 */
export function layOut(
  tree: TreeShape,
  widths: Float64Array,
  focus: Focus,
  widthPx: number,
  order: Float64Array = widths,
  minPx = 1,
): Layout {
  const rows: Row[] = [];
  const depths: number[] = [];
  const members = membersOf(tree, widths, focus);
  const focusWidth = members.reduce((sum, node) => sum + (widths[node] ?? 0), 0);
  const threshold = focusWidth > 0 ? (focusWidth * minPx) / Math.max(widthPx, 1) : Infinity;
  let depth = 0;
  let remainders = 0;
  const add = (row: Row, level: number): number => {
    depth = Math.max(depth, level + 1);
    if (row.rest > 0) remainders++;
    depths.push(level);
    return rows.push(row) - 1;
  };
  const path = ancestry(tree, focus.node);
  for (const [level, node] of path.entries()) {
    const isFocus = level === path.length - 1 && focus.rest === 0;
    add({ node, rest: 0, parent: Math.max(level - 1, 0), width: focusWidth, isAncestor: !isFocus }, level);
  }
  if (focus.rest > 0) {
    add({ ...focus, parent: path.length - 1, width: focusWidth, isAncestor: false }, path.length);
  }
  const focusRow = rows.length - 1;
  // Rows are appended while the loop runs: it ends when all that is drawn has been asked for its children.
  for (let index = focusRow; index < rows.length; index++) {
    const row = rows[index];
    if (row === undefined || (row.rest > 0 && index !== focusRow)) continue;
    const level = (depths[index] ?? 0) + 1;
    const children = index === focusRow && focus.rest > 0 ? members : childrenOf(tree, row.node);
    const wide: number[] = [];
    let rest = 0;
    let restWidth = 0;
    for (const child of children) {
      const width = widths[child] ?? 0;
      if (width >= threshold) {
        wide.push(child);
      } else if (width > 0) {
        rest++;
        restWidth += width;
      }
    }
    wide.sort((a, b) => (order[b] ?? 0) - (order[a] ?? 0) || a - b);
    for (const child of wide) {
      add({ node: child, rest: 0, parent: index, width: widths[child] ?? 0, isAncestor: false }, level);
    }
    if (rest === 0) continue;
    if (row.rest === 0) {
      add({ node: row.node, rest, parent: index, width: restWidth, isAncestor: false }, level);
      continue;
    }
    for (const part of partsOf(row, rest)) {
      const width = lightestChildren(tree, widths, row.node, part.rest, part.skip).reduce(
        (sum, child) => sum + (widths[child] ?? 0),
        0,
      );
      add({ ...part, parent: index, width, isAncestor: false }, level);
    }
  }
  return { focus, rows, focusRow, depth: Math.max(depth, 1), frames: rows.length - remainders, remainders };
}

const parts = 10;

/**
 * An opened remainder may hold more functions than the picture has pixels. Its `narrow` lightest are then gathered in ten
 * parts from the heaviest to the lightest, not in one that would be the same again: whatever is clicked, less is left.
 */
function partsOf({ node, skip = 0 }: Focus, narrow: number): Focus[] {
  const size = Math.max(Math.ceil(narrow / parts), 1);
  const found: Focus[] = [];
  for (let end = skip + narrow; end > skip; end -= size) {
    const start = Math.max(end - size, skip);
    found.push({ node, rest: end, ...(start > 0 && { skip: start }) });
  }
  return found;
}
