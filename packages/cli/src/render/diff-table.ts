import { formatQuantity, formatShare } from './quantity.ts';
import { formatTable } from './table.ts';

/** A function on both sides, by its own (self) value. */
export interface DiffRow {
  readonly name: string;
  readonly before: bigint;
  readonly after: bigint;
  readonly presence: 'both' | 'new' | 'gone';
}

/** A table of changes, shares beside values, since the sides rarely cover equal times. Says that noise is not judged. */
export function formatDiff(rows: readonly DiffRow[], before: bigint, after: bigint, unit: string): string {
  const table = formatTable(rows, [
    { title: 'before', align: 'right', text: (row) => formatQuantity(row.before, unit) },
    { title: 'after', align: 'right', text: (row) => formatQuantity(row.after, unit) },
    { title: 'share', align: 'right', text: (row) => formatShare(row.before, before) },
    { title: 'share', align: 'right', text: (row) => formatShare(row.after, after) },
    { title: 'change', align: 'right', text: (row) => changeOfShare(row, before, after) },
    { title: '', align: 'left', text: (row) => (row.presence === 'both' ? '' : row.presence) },
    { title: 'function', align: 'left', text: (row) => row.name },
  ]);
  const head = `before ${formatQuantity(before, unit)}, after ${formatQuantity(after, unit)}; self values; whether a change is noise is not judged`;
  return `${head}\n${table}`;
}

function changeOfShare(row: DiffRow, before: bigint, after: bigint): string {
  if (before === 0n || after === 0n) return '-';
  const points = (Number(row.after) / Number(after) - Number(row.before) / Number(before)) * 100;
  return `${points > 0 ? '+' : ''}${points.toFixed(2)}`;
}
