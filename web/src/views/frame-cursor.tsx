import { select } from 'd3-selection';
import type { FlameNode } from 'd3-flame-graph';
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Layout } from '../tree/layout.ts';
import type { Datum } from './flame-feed.ts';

/** The row that an arrow key leads to, or null when it leads nowhere. */
export function nextRow(layout: Layout, current: number | null, key: string, widthPx: number): number | null {
  const focusWidth = layout.rows[layout.focusRow]?.width ?? 0;
  const isDrawn = (index: number): boolean => {
    const row = layout.rows[index];
    return (
      row !== undefined && (row.rest === 0 || index === layout.focusRow || (row.width * widthPx) / focusWidth >= 1)
    );
  };
  const below = (parent: number): number[] =>
    layout.rows.flatMap((row, index) => (index > 0 && row.parent === parent && isDrawn(index) ? [index] : []));
  if (current === null) return key.startsWith('Arrow') ? layout.focusRow : null;
  const row = layout.rows[current];
  if (row === undefined) return null;
  if (key === 'ArrowUp') return current === 0 ? null : row.parent;
  if (key === 'ArrowDown') return below(current)[0] ?? null;
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return null;
  const siblings = current === 0 ? [] : below(row.parent);
  return siblings[siblings.indexOf(current) + (key === 'ArrowLeft' ? -1 : 1)] ?? null;
}

interface Props {
  readonly host: RefObject<HTMLElement | null>;
  readonly row: number;
  readonly layout: Layout;
  readonly width: number;
  readonly rowHeight: number;
  readonly growsUp: boolean;
  readonly children: ComponentChildren;
}

/** The frame that the keyboard is at: an outline, and its description read aloud and shown below it. */
export function FrameCursor({ host, row, layout, width, rowHeight, growsUp, children }: Props) {
  const outline = useRef<HTMLDivElement>(null);
  const note = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = outline.current;
    if (host.current === null || box === null) return;
    const node = select(host.current)
      .selectAll<SVGGElement, FlameNode<Datum>>('g.frame')
      .data()
      .find((one) => one.data.row === row);
    if (node === undefined) return;
    const left = node.x0 * width;
    const top = (growsUp ? layout.depth - 1 - node.depth : node.depth) * rowHeight;
    box.style.transform = `translate(${left}px, ${top}px)`;
    box.style.width = `${Math.max((node.x1 - node.x0) * width, 3)}px`;
    box.style.height = `${rowHeight}px`;
    const text = note.current;
    if (text !== null) {
      text.style.transform = `translate(${Math.max(Math.min(left, width - text.offsetWidth), 0)}px, ${top + rowHeight + 6}px)`;
    }
    box.scrollIntoView({ block: 'nearest' });
  }, [host, row, layout, width, rowHeight, growsUp]);
  return (
    <>
      <div ref={outline} class="frame-cursor" />
      <div ref={note} class="tip tip-inside" aria-live="polite">
        {children}
      </div>
    </>
  );
}
