/** What matches first, each part in its order. */
export function matchesFirst<Row>(rows: readonly Row[], isMatch: ((row: Row) => boolean) | null): readonly Row[] {
  if (isMatch === null) return rows;
  const found: Row[] = [];
  const others: Row[] = [];
  for (const row of rows) (isMatch(row) ? found : others).push(row);
  return found.length === 0 ? rows : [...found, ...others];
}
