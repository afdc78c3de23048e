import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { useVirtualRows } from './use-virtual-rows.ts';

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** Said on hover over the heading. */
  readonly help?: string;
  readonly align: 'left' | 'right';
  /** CSS width; one column without it takes what is left. */
  readonly width?: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Left out on narrow screens. */
  readonly wideOnly?: boolean;
}

interface Props<Row> {
  readonly name: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sort: string;
  readonly onSort: (key: string) => void;
  /** Columns that can be sorted by; all when absent. */
  readonly sortable?: readonly string[];
  readonly onRow?: (row: Row) => void;
  readonly rowTitle?: (row: Row) => string;
  /** What is searched for stands out; null when nothing is searched. */
  readonly isMatch?: ((row: Row) => boolean) | null;
  readonly empty: string;
}

const rowHeightPx = 30;

/** A table that draws only the rows in view; its head stays while it scrolls. */
export function DataTable<Row>(props: Props<Row>) {
  const { name, columns, rows, keyOf, sort, onSort, sortable, onRow, rowTitle, isMatch, empty } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const view = useVirtualRows(scroller, rows.length, rowHeightPx);
  const cellClass = (column: Column<Row>) => `${column.align}${column.wideOnly === true ? ' wide-only' : ''}`;
  const emphasis = (row: Row) =>
    isMatch === undefined || isMatch === null ? '' : isMatch(row) ? ' is-match' : ' is-muted';
  return (
    <div ref={scroller} class="table-scroll" tabIndex={0} role="region" aria-label={name}>
      <table class="data" aria-rowcount={rows.length + 1}>
        <colgroup>
          {columns.map((column) => (
            <col
              key={column.key}
              class={column.wideOnly === true ? 'wide-only' : ''}
              style={column.width === undefined ? {} : { width: column.width }}
            />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th
                key={column.key}
                class={cellClass(column)}
                title={column.help}
                aria-sort={sort === column.key ? (column.key === 'name' ? 'ascending' : 'descending') : 'none'}
              >
                {sortable === undefined || sortable.includes(column.key) ? (
                  <button type="button" onClick={() => onSort(column.key)}>
                    {column.title}
                  </button>
                ) : (
                  column.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {view.abovePx > 0 && <tr aria-hidden="true" style={{ height: `${view.abovePx}px` }} />}
          {rows.slice(view.first, view.end).map((row, index) => (
            <tr
              key={keyOf(row)}
              aria-rowindex={view.first + index + 2}
              class={`${onRow === undefined ? '' : 'can-open'}${emphasis(row)}`}
              title={rowTitle?.(row)}
              onClick={onRow === undefined ? undefined : () => onRow(row)}
            >
              {columns.map((column) => (
                <td key={column.key} class={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {view.belowPx > 0 && <tr aria-hidden="true" style={{ height: `${view.belowPx}px` }} />}
        </tbody>
      </table>
      {rows.length === 0 && <p class="table-empty">{empty}</p>}
    </div>
  );
}
