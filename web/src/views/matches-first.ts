/** Rows whose name is searched for come first; otherwise the order stays. */
export function matchesFirst<Row extends { readonly name: string }>(
  rows: readonly Row[],
  matches: ((name: string) => boolean) | null,
): readonly Row[] {
  if (matches === null) return rows;
  const found = rows.map((row) => matches(row.name));
  return [...rows.filter((_, index) => found[index] === true), ...rows.filter((_, index) => found[index] !== true)];
}
