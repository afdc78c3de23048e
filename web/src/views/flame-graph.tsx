import flamegraph, { type FlameChart, type FlameNode } from 'd3-flame-graph';
import { select } from 'd3-selection';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { TreeShape } from '../data/tree-columns.ts';
import { type Focus, type Layout, type Row, layOut } from '../tree/layout.ts';
import { mutedColour } from './colours.ts';
import { type Datum, feedOf } from './flame-feed.ts';
import { FrameCursor, nextRow } from './frame-cursor.tsx';
import { isDark } from './theme.ts';
import { type TipPlace, Tip } from './tip.tsx';
import { useAfterPaint } from './use-after-paint.ts';
import { useWidth } from './use-width.ts';

const rowHeightPx = 20;

export interface FlameGraphProps {
  readonly tree: TreeShape;
  /** Of each node, in the unit that the picture compares. */
  readonly widths: Float64Array;
  readonly focus: Focus;
  readonly onFocus: (focus: Focus) => void;
  readonly labelOf: (row: Row) => string;
  readonly colourOf: (row: Row, dark: boolean) => string;
  /** Content of the tooltip. Text of functions goes in as text nodes only. */
  readonly describe: (row: Row, layout: Layout) => ComponentChildren;
  /** By frame: 1 stays bright. Null when nothing is searched. */
  readonly matches: Uint8Array | null;
  readonly name: string;
  /** Widths by which children are ordered; left out: those that are drawn. */
  readonly order?: Float64Array;
  /** Root at the bottom. Fixed for the life of the component: give it as key. */
  readonly growsUp?: boolean;
  /** Asked for what can be done with a frame: by the right button, the menu key or a long press. */
  readonly onMenu?: (row: Row, x: number, y: number) => void;
}

/**
 * Draws a tree with d3-flame-graph, root on top. It is given only what is visible at this zoom (tree/layout.ts); clicks are
 * taken before it sees them, because the zoom belongs to the URL and not to the drawing.
 */
export function FlameGraph(props: FlameGraphProps) {
  const { tree, widths, focus, onFocus, labelOf, colourOf, describe, matches, name, order, onMenu } = props;
  const growsUp = props.growsUp === true;
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<FlameChart<Datum> | null>(null);
  const width = useWidth(host);
  const [tip, setTip] = useState<TipPlace | null>(null);
  const [current, setCurrent] = useState<number | null>(null);
  const layout = useMemo(
    () => layOut(tree, widths, focus, Math.max(width, 1), order),
    [tree, widths, focus, width, order],
  );
  const dark = isDark.value;

  // Read by the drawing at each update, so that it never holds the functions of an older render.
  const now = useRef<Drawing>({ layout, frameOf: tree.frame, labelOf, colourOf, matches, dark });
  now.current = { layout, frameOf: tree.frame, labelOf, colourOf, matches, dark };

  // The first picture takes longest: it has a task of its own, after what stands around it.
  const mayDraw = useAfterPaint(true) === true;
  const drawn = useRef<{ layout: Layout; width: number; labelOf: FlameGraphProps['labelOf'] } | null>(null);
  // Before the browser paints: the picture never shows another place than the rest of the page.
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null || width === 0 || !mayDraw) return;
    const last = drawn.current;
    drawn.current = { layout, width, labelOf };
    if (last !== null && last.layout === layout && last.width === width && last.labelOf === labelOf) {
      // Other colours alone: what is searched for, light or dark.
      select(element)
        .selectAll<SVGGElement, FlameNode<Datum>>('g.frame')
        .each(function (node) {
          this.firstElementChild?.setAttribute('fill', colourIn(now.current, node));
        });
      markDrawn();
      return;
    }
    const data = feedOf(layout, width);
    if (chart.current === null) {
      chart.current = createChart(now, growsUp);
      chart.current.width(width);
      chart.current(select<HTMLElement, Datum>(element).datum(data));
    } else {
      chart.current.width(width).update(data);
    }
    const svg = select(element).select('svg');
    const height = layout.depth * rowHeightPx;
    // d3-flame-graph leaves room for its own texts above; with the root at the bottom everything stands that much lower.
    const drawnPx = Number(svg.attr('height'));
    svg.attr('height', height).attr('viewBox', growsUp ? `0 ${drawnPx - height} ${width} ${height}` : null);
    markDrawn();
  }, [layout, width, matches, dark, labelOf, colourOf, mayDraw]);
  useEffect(() => () => void chart.current?.destroy(), []);
  useEffect(() => {
    setCurrent(null);
    setTip(null);
  }, [layout]);

  const rowAt = (event: Event): number | null => {
    const group = event.target instanceof Element ? event.target.closest('g.frame') : null;
    if (group === null) return null;
    return select<Element, FlameNode<Datum>>(group).datum().data.row;
  };
  const zoomTo = (index: number | null) => {
    const row = index === null ? undefined : layout.rows[index];
    if (row !== undefined)
      onFocus({ node: row.node, rest: row.rest, ...(row.skip !== undefined && { skip: row.skip }) });
  };
  const onClick = (event: MouseEvent) => {
    event.stopPropagation();
    zoomTo(rowAt(event));
  };
  const onPointerMove = (event: PointerEvent) => {
    const row = rowAt(event);
    setTip(row === null ? null : { row, x: event.clientX, y: event.clientY });
  };
  const onContextMenu = (event: MouseEvent) => {
    const index = rowAt(event);
    const row = index === null ? undefined : layout.rows[index];
    if (row === undefined || onMenu === undefined) return;
    event.preventDefault();
    setTip(null);
    onMenu(row, event.clientX, event.clientY);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = current === null ? undefined : layout.rows[current];
    if ((event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && at !== undefined) {
      const box = event.currentTarget instanceof Element ? event.currentTarget.querySelector('.frame-cursor') : null;
      const { left = 0, bottom = 0 } = box?.getBoundingClientRect() ?? {};
      event.preventDefault();
      onMenu?.(at, left, bottom);
      return;
    }
    if (event.key === 'Enter' && current !== null) {
      event.preventDefault();
      zoomTo(current);
      return;
    }
    const next = nextRow(layout, current, growsUp ? (turned[event.key] ?? event.key) : event.key, width);
    if (next === null) return;
    event.preventDefault();
    setTip(null);
    setCurrent(next);
  };
  const shown = tip ?? null;
  const shownRow = shown === null ? undefined : layout.rows[shown.row];
  const currentRow = current === null ? undefined : layout.rows[current];
  return (
    <div
      class="flame"
      role="group"
      aria-busy={!mayDraw}
      aria-label={`${name}. Arrow keys move between frames, Enter zooms, the menu key shows what can be done, Escape shows everything.`}
      // The frames are one stop of the keyboard; arrows move within.
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={(event) => event.currentTarget.matches(':focus-visible') && setCurrent(current ?? layout.focusRow)}
      onBlur={() => setCurrent(null)}
    >
      <div
        ref={host}
        class="flame-host"
        style={{ minHeight: `${layout.depth * rowHeightPx}px` }}
        onClickCapture={onClick}
        onContextMenu={onContextMenu}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setTip(null)}
      />
      {currentRow !== undefined && current !== null && (
        <FrameCursor host={host} row={current} layout={layout} width={width} rowHeight={rowHeightPx} growsUp={growsUp}>
          {describe(currentRow, layout)}
        </FrameCursor>
      )}
      {shown !== null && shownRow !== undefined && (
        <Tip x={shown.x} y={shown.y}>
          {describe(shownRow, layout)}
        </Tip>
      )}
    </div>
  );
}

const turned: Readonly<Record<string, string>> = { ArrowUp: 'ArrowDown', ArrowDown: 'ArrowUp' };

interface Drawing {
  readonly layout: Layout;
  readonly frameOf: Uint32Array;
  readonly labelOf: FlameGraphProps['labelOf'];
  readonly colourOf: FlameGraphProps['colourOf'];
  readonly matches: Uint8Array | null;
  readonly dark: boolean;
}

function createChart(now: { readonly current: Drawing }, growsUp: boolean): FlameChart<Datum> {
  const rowOf = (node: FlameNode<Datum>): Row | undefined => now.current.layout.rows[node.data.row];
  // A tooltip of its own must be set, else d3-flame-graph adds <title> elements; ours is drawn by the component.
  const noTip = Object.assign(() => undefined, { show: () => undefined, hide: () => undefined });
  return flamegraph<Datum>()
    .cellHeight(rowHeightPx)
    .inverted(!growsUp)
    .resetHeightOnZoom(true)
    .transitionDuration(0)
    .tooltip(noTip)
    .getName((node) => {
      const row = rowOf(node);
      return row === undefined ? '' : now.current.labelOf(row);
    })
    .setColorMapper((node) => colourIn(now.current, node));
}

function colourIn({ layout, matches, dark, colourOf, frameOf }: Drawing, { data }: { readonly data: Datum }): string {
  const row = layout.rows[data.row];
  if (row === undefined) return 'none';
  const isMatch = matches === null || (row.rest === 0 && matches[frameOf[row.node] ?? 0] === 1);
  return isMatch ? colourOf(row, dark) : mutedColour(dark);
}

/** For whoever measures the page; one entry is kept. */
function markDrawn(): void {
  performance.clearMarks('everflame-drawn');
  performance.mark('everflame-drawn');
}
