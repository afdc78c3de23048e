import type { Layout } from '../tree/layout.ts';

/** What d3-flame-graph is given for a row: its place in the layout and its width. */
export interface Datum {
  readonly row: number;
  readonly value: number;
  readonly children: Datum[];
  /** Whether there is room for a label (frame-drawing.ts). */
  readonly hasLabel: boolean;
  /** d3-flame-graph draws faded rows as wide as what is below them: the way to the focus. */
  fade?: boolean;
  hide?: boolean;
}

/** d3-flame-graph shows no label in what is narrower. */
const leastLabelPx = 35;

/** Remainders that would not be a pixel wide themselves are told in the tooltip of their parent and not drawn. */
export function feedOf(layout: Layout, widthPx: number): Datum {
  const focusWidth = layout.rows[layout.focusRow]?.width ?? 0;
  const scale = focusWidth > 0 ? widthPx / focusWidth : 0;
  const data: Datum[] = [];
  for (const [index, row] of layout.rows.entries()) {
    const px = row.width * scale;
    const datum: Datum = { row: index, value: row.width, children: [], hasLabel: px >= leastLabelPx };
    if (row.isAncestor) datum.fade = true;
    data.push(datum);
    if (index === 0) continue;
    if (row.rest > 0 && index !== layout.focusRow && px < 1) continue;
    data[row.parent]?.children.push(datum);
  }
  const root = data[0];
  if (root === undefined) throw new Error('a layout without rows');
  return root;
}
