import type { FunctionLine, FunctionLines } from '@everflame/profile';

/** A file as one build of a binary holds it, with what its lines cost; by line. */
export interface SourcePart {
  readonly file: string;
  readonly binary: string;
  readonly buildId: string;
  readonly lines: readonly FunctionLine[];
}

/** A line, with its text where that is known and its cost where it has one; or lines in between that have none. */
export type SourceRow =
  | { readonly kind: 'line'; readonly line: number; readonly text: string | null; readonly cost: FunctionLine | null }
  | { readonly kind: 'gap'; readonly line: number; readonly count: number };

export interface SourceParts {
  /** The one with the greatest line first. */
  readonly parts: readonly SourcePart[];
  /** Lines that are left out. */
  readonly others: number;
}

/** A function of that many lines is written by a program; the lightest are left out. */
const mostLines = 2000;

/** The lines of a function by file and build. */
export function partsOf({ lines }: FunctionLines): SourceParts {
  const heaviest = lines.toSorted(byTotal).slice(0, mostLines);
  const parts = new Map<string, FunctionLine[]>();
  for (const line of heaviest) {
    const key = JSON.stringify([line.file, line.binary, line.buildId]);
    const known = parts.get(key);
    if (known === undefined) parts.set(key, [line]);
    else known.push(line);
  }
  return {
    parts: Array.from(parts.values(), (some) => ({
      file: some[0]?.file ?? '',
      binary: some[0]?.binary ?? '',
      buildId: some[0]?.buildId ?? '',
      lines: some.toSorted((a, b) => Number(a.line - b.line)),
    })),
    others: lines.length - heaviest.length,
  };
}

function byTotal(a: FunctionLine, b: FunctionLine): number {
  return a.total > b.total ? -1 : a.total < b.total ? 1 : Number(a.line - b.line);
}

/** Lines of text that are shown around one that costs something. */
const context = 3;

/** Which lines of a file are asked for: those that cost something, and some around them; null where no line is known. */
export function linesWanted({ lines }: SourcePart): { readonly first: number; readonly last: number } | null {
  const known = lines.map(({ line }) => Number(line)).filter((line) => line > 0);
  const [least, most] = [known[0], known.at(-1)];
  if (least === undefined || most === undefined) return null;
  return { first: Math.max(least - context, 1), last: most + context };
}

/** What is shown of a part: without text only what costs something. `text` begins with the line `first`. */
export function rowsOf(
  { lines }: SourcePart,
  text: { readonly first: number; readonly lines: readonly string[] } | null,
): readonly SourceRow[] {
  const rows: SourceRow[] = [];
  const end = text === null ? 0 : text.first + text.lines.length;
  const textOf = (line: number) => text?.lines[line - text.first] ?? null;
  let next = text?.first ?? 0;
  for (const [index, cost] of lines.entries()) {
    const line = Number(cost.line);
    if (text === null || line === 0) {
      rows.push({ kind: 'line', line, text: null, cost });
      continue;
    }
    const from = Math.max(line - context, next);
    if (from > next) rows.push({ kind: 'gap', line: next, count: from - next });
    for (let at = from; at < line; at++) rows.push({ kind: 'line', line: at, text: textOf(at), cost: null });
    rows.push({ kind: 'line', line, text: textOf(line), cost });
    const before = Number(lines[index + 1]?.line ?? Infinity);
    next = line + 1;
    for (; next <= line + context && next < Math.min(before, end); next++) {
      rows.push({ kind: 'line', line: next, text: textOf(next), cost: null });
    }
  }
  return rows;
}
