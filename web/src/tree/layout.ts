import type { TreeShape } from '../data/tree-columns.ts';
import { ancestry, childrenOf } from './order.ts';

/**
 * What the picture is zoomed to: a node, or, with `rest > 0`, only the `rest` lightest children of it: what a wider zoom
 * had to gather because each of them was narrower than a pixel.
 */
export interface Focus {
  readonly node: number;
  readonly rest: number;
}

export const wholeTree: Focus = { node: 0, rest: 0 };

/** One row of a layout. A row with `rest > 0` is a remainder: the `rest` lightest children of `node`, none a pixel wide. */
export interface Row {
  readonly node: number;
  readonly rest: number;
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

/** The `count` lightest children of `node` that have any width, in the tree's order. */
export function lightestChildren(tree: TreeShape, widths: Float64Array, node: number, count: number): number[] {
  const all = [...childrenOf(tree, node)].filter((child) => (widths[child] ?? 0) > 0);
  const kept = new Set(all.toSorted((a, b) => (widths[a] ?? 0) - (widths[b] ?? 0) || b - a).slice(0, count));
  return all.filter((child) => kept.has(child));
}

/** The nodes that a focus or a row stands for: itself, or the members of a remainder. */
export function membersOf(tree: TreeShape, widths: Float64Array, { node, rest }: Focus): readonly number[] {
  return rest === 0 ? [node] : lightestChildren(tree, widths, node, rest);
}

/**
 * What is drawn of a tree at one zoom: the focus, the path that leads to it, and every frame below it that is at least
 * `minPx` wide when the focus is `widthPx` wide. What is narrower is one remainder for each parent, so that the rows below
 * a parent stand for all of its children, exactly.
 */
export function layOut(tree: TreeShape, widths: Float64Array, focus: Focus, widthPx: number, minPx = 1): Layout {
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
    let rest = 0;
    let restWidth = 0;
    for (const child of children) {
      const width = widths[child] ?? 0;
      if (width <= 0) continue;
      if (width >= threshold) {
        add({ node: child, rest: 0, parent: index, width, isAncestor: false }, level);
      } else {
        rest++;
        restWidth += width;
      }
    }
    if (rest > 0) add({ node: row.node, rest, parent: index, width: restWidth, isAncestor: false }, level);
  }
  return { focus, rows, focusRow, depth: Math.max(depth, 1), frames: rows.length - remainders, remainders };
}
