import { useMemo, useRef, useState } from 'preact/hooks';
import type { Tree } from '../data/tree-columns.ts';
import { type Focus, membersOf } from '../tree/layout.ts';
import { childrenOf } from '../tree/order.ts';
import { shareOf } from '../tree/sums.ts';
import { amount, exact, exactAmount, percent, plural } from './format.ts';
import { frameName } from './frame-text.tsx';
import { shortName } from './short-name.ts';
import { useVirtualRows } from './use-virtual-rows.ts';

interface Props {
  readonly tree: Tree;
  readonly widths: Float64Array;
  readonly focus: Focus;
  readonly unit: string;
  readonly groupLabel: string;
  readonly onFocus: (focus: Focus) => void;
}

interface Line {
  readonly node: number;
  readonly level: number;
  readonly isOpen: boolean;
  readonly hasChildren: boolean;
}

const rowHeightPx = 30;
/** Children beyond these are one line that opens as a zoom. */
const mostChildren = 200;

/** The tree as lines that open: what the picture shows, for readers of tables and screen readers. The hottest way is open. */
export function TreeTable({ tree, widths, focus, unit, groupLabel, onFocus }: Props) {
  const roots = useMemo(() => membersOf(tree, widths, focus), [tree, widths, focus]);
  const [toggled, setToggled] = useState<{ tree: Tree; nodes: ReadonlySet<number> }>({ tree, nodes: new Set() });
  const changed = toggled.tree === tree ? toggled.nodes : nobody;
  const hot = useMemo(() => hottestWay(tree, widths, roots), [tree, widths, roots]);
  const isOpen = (node: number) => hot.has(node) !== changed.has(node);
  const lines = useMemo(() => linesOf(tree, widths, roots, isOpen), [tree, widths, roots, hot, changed]);
  const scroller = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const view = useVirtualRows(scroller, lines.length, rowHeightPx);
  const whole = tree.weights.total[0] ?? 0n;
  const toggle = (node: number) => {
    const next = new Set(changed);
    if (!next.delete(node)) next.add(node);
    setToggled({ tree, nodes: next });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const line = lines[current];
    if (line === undefined) return;
    const move = (to: number) => {
      const next = Math.min(Math.max(to, 0), lines.length - 1);
      setCurrent(next);
      view.scrollTo(next);
    };
    switch (event.key) {
      case 'ArrowDown':
        move(current + 1);
        break;
      case 'ArrowUp':
        move(current - 1);
        break;
      case 'ArrowRight':
        if (line.hasChildren && !line.isOpen) toggle(line.node);
        else move(current + 1);
        break;
      case 'ArrowLeft':
        if (line.isOpen) toggle(line.node);
        else move(lines.findLastIndex((one, index) => index < current && one.level < line.level));
        break;
      case 'Enter':
        onFocus({ node: line.node, rest: 0 });
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  return (
    <div class="tree-box">
      <div ref={scroller} class="table-scroll" tabIndex={0} role="region" aria-label="Call tree" onKeyDown={onKeyDown}>
        <table class="data" role="treegrid" aria-rowcount={lines.length + 1} aria-label="Call tree">
          <colgroup>
            <col />
            <col style={{ width: '5rem' }} />
            <col style={{ width: '4.5rem' }} />
            <col class="wide-only" style={{ width: '5rem' }} />
            <col class="wide-only" style={{ width: '5rem' }} />
          </colgroup>
          <thead>
            <tr role="row" aria-rowindex={1}>
              <th role="columnheader" class="left">
                Function
              </th>
              <th role="columnheader" class="right">
                Total
              </th>
              <th role="columnheader" class="right">
                %
              </th>
              <th role="columnheader" class="right wide-only">
                Self
              </th>
              <th role="columnheader" class="right wide-only">
                Samples
              </th>
            </tr>
          </thead>
          <tbody>
            {view.abovePx > 0 && <tr aria-hidden="true" style={{ height: `${view.abovePx}px` }} />}
            {lines.slice(view.first, view.end).map((line, index) => {
              const { node } = line;
              const total = tree.weights.total[node] ?? 0n;
              const self = tree.weights.self[node] ?? 0n;
              return (
                <tr
                  key={node}
                  role="row"
                  aria-level={line.level + 1}
                  aria-rowindex={view.first + index + 2}
                  aria-expanded={line.hasChildren ? line.isOpen : undefined}
                  aria-selected={view.first + index === current}
                  class={view.first + index === current ? 'is-current' : ''}
                  onClick={() => {
                    setCurrent(view.first + index);
                    if (line.hasChildren) toggle(node);
                  }}
                  onDblClick={() => onFocus({ node, rest: 0 })}
                >
                  <td role="gridcell" class="left">
                    <span class="function-name" style={{ paddingLeft: `${Math.min(line.level, 24) * 0.9}rem` }}>
                      <span class="twist" aria-hidden="true">
                        {line.hasChildren ? (line.isOpen ? '▾' : '▸') : ''}
                      </span>
                      {shortName(frameName(tree, node, groupLabel))}
                    </span>
                  </td>
                  <td role="gridcell" class="right" title={exactAmount(total, unit)}>
                    {amount(total, unit)}
                  </td>
                  <td role="gridcell" class="right">
                    {percent(shareOf(total, whole))}
                  </td>
                  <td role="gridcell" class="right wide-only" title={exactAmount(self, unit)}>
                    {amount(self, unit)}
                  </td>
                  <td role="gridcell" class="right wide-only">
                    {exact(tree.weights.samples[node] ?? 0)}
                  </td>
                </tr>
              );
            })}
            {view.belowPx > 0 && <tr aria-hidden="true" style={{ height: `${view.belowPx}px` }} />}
          </tbody>
        </table>
      </div>
      <p class="hint">
        {plural(lines.length, 'line')}. Arrow keys open and close, Enter zooms. Of each frame the {mostChildren}{' '}
        heaviest are listed; zoom in for the others.
      </p>
    </div>
  );
}

const nobody: ReadonlySet<number> = new Set();

function heaviest(widths: Float64Array, nodes: readonly number[]): number[] {
  return nodes.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0) || a - b).slice(0, mostChildren);
}

/** From the roots down to the heaviest child while that has at least half of its parent. */
function hottestWay(tree: Tree, widths: Float64Array, roots: readonly number[]): ReadonlySet<number> {
  const way = new Set<number>();
  let at = heaviest(widths, roots)[0];
  while (at !== undefined) {
    way.add(at);
    const child: number | undefined = heaviest(widths, childrenOf(tree, at))[0];
    at = child !== undefined && (widths[child] ?? 0) * 2 >= (widths[at] ?? 0) ? child : undefined;
  }
  return way;
}

function linesOf(
  tree: Tree,
  widths: Float64Array,
  roots: readonly number[],
  isOpen: (node: number) => boolean,
): readonly Line[] {
  const lines: Line[] = [];
  const waiting = heaviest(widths, roots)
    .toReversed()
    .map((node) => ({ node, level: 0 }));
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const { node, level } = one;
    const hasChildren = (tree.end[node] ?? 0) > node + 1;
    const open = hasChildren && isOpen(node);
    lines.push({ node, level, isOpen: open, hasChildren });
    if (!open) continue;
    for (const child of heaviest(widths, childrenOf(tree, node)).toReversed()) {
      waiting.push({ node: child, level: level + 1 });
    }
  }
  return lines;
}
