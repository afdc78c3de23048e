import type { CountColumn, FunctionNames, SideCounts } from '../counts/side-counts.ts';

export interface TextCounts {
  readonly functions: FunctionNames;
  readonly side: (version: string, rows: string, more?: Partial<SideCounts>) => SideCounts;
}

/**
 * Counts drawn as a table. `functions` are `name@file`; each line of `rows` is a unit: its name, all its samples, then a cell for each function, `inclusive` or
 * `inclusive/self` (self is 0 when left out). Every unit is watched for 60 s at 100 samples a second.
 */
export function countsFromText(functionList: string): TextCounts {
  const all = functionList
    .trim()
    .split(/\s+/)
    .map((text) => text.split('@'));
  const functions = { name: all.map(([name = '']) => name), file: all.map(([, file = '']) => file) };
  const side = (version: string, rows: string, more: Partial<SideCounts> = {}): SideCounts => {
    const lines = rows
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
    const cells: { f: number; unit: number; inclusive: number; self: number }[] = [];
    for (const [unit, [, , ...values]] of lines.entries()) {
      for (const [f, value] of values.entries()) {
        const [inclusive = 0, self = 0] = value.split('/').map(Number);
        if (inclusive > 0) cells.push({ f, unit, inclusive, self });
      }
    }
    cells.sort((a, b) => a.f - b.f || a.unit - b.unit);
    return {
      version,
      unitNames: lines.map(([name = '']) => name),
      unitSamples: Float64Array.from(lines, ([, samples]) => Number(samples)),
      unitSeconds: new Float64Array(lines.length).fill(60),
      unitRequests: null,
      secondsPerSample: 0.01,
      functionStart: Uint32Array.from(
        { length: functions.name.length + 1 },
        (_, f) => cells.filter((cell) => cell.f < f).length,
      ),
      cellUnit: Uint32Array.from(cells, (cell) => cell.unit),
      cellSelf: column(cells.map((cell) => cell.self)),
      cellInclusive: column(cells.map((cell) => cell.inclusive)),
      ...more,
    };
  };
  return { functions, side };
}

/** What is no count stays what it is, to be refused. */
function column(values: readonly number[]): CountColumn {
  return values.every((value) => value >>> 0 === value) ? Uint32Array.from(values) : Float64Array.from(values);
}
