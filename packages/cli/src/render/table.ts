/** One column of a text table. Numbers stand right. */
export interface Column<Row> {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly text: (row: Row) => string;
}

/** Rows as aligned text, a line each, with a heading. The last column is not padded, so that long names wrap by themselves. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => printable(column.text(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, index) => {
          const width = widths[index] ?? 0;
          if (columns[index]?.align === 'right') return cell.padStart(width);
          return index === line.length - 1 ? cell : cell.padEnd(width);
        })
        .join('  '),
    )
    .join('\n');
}

/** Names come from foreign binaries: what would move a terminal's cursor is shown as an escape. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const control = /[\u0000-\u001f\u007f-\u009f]/g;
  return text.replace(control, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
