import { firstNotBelow } from '../first-not-below.ts';
import type { CountsRow, FunctionCounts, RangeSeries, StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import type { Choice } from './profile-choice.ts';

/** What of functions is asked for: samples that end in one, or that have it in them. */
export type FunctionPart = 'self' | 'total';

export const minuteMs = 60_000;

/**
 * Counts by function and step; null where they do not say values exactly: steps that are no minutes, samples that are not
 * worth the same, frames that views leave out.
 */
export async function countsFor(
  storage: StorageReader,
  { selection }: Choice,
  stepMs: number,
  by: readonly string[],
  check: Check,
): Promise<FunctionCounts | null> {
  if (stepMs % minuteMs !== 0) return null;
  check();
  const counts = await storage.functionCounts({ ...selection, check }, stepMs, by);
  check();
  const isExact = counts.rows.every((row) => row.valuePerSample !== undefined || row.function.length === 0);
  return isExact && counts.dropsFrames !== true ? counts : null;
}

interface Line {
  readonly labels: Readonly<Record<string, string>>;
  readonly times: number[];
  readonly values: bigint[];
  readonly samples: number[];
}

/** The named function (of several files the one with the most) by the labels of the rows. A step without it has 0. */
export function linesOfFunction({ functions, rows }: FunctionCounts, name: string, part: FunctionPart): RangeSeries[] {
  const sums = new Map<number, number>();
  for (const [id, own] of functions.name.entries()) if (own === name) sums.set(id, 0);
  for (const row of rows) for (const id of sums.keys()) sums.set(id, (sums.get(id) ?? 0) + samplesOf(row, id, part));
  const [wanted] = [...sums].sort(([, a], [, b]) => b - a)[0] ?? [];
  const lines = new Map<string, Line>();
  for (const row of rows) {
    const key = JSON.stringify(row.labels);
    const line = lines.get(key) ?? { labels: row.labels, times: [], values: [], samples: [] };
    lines.set(key, line);
    const samples = wanted === undefined ? 0 : samplesOf(row, wanted, part);
    line.times.push(row.timeMs);
    line.values.push(valueOf(row, samples));
    line.samples.push(samples);
  }
  return [...lines.values()];
}

/**
 * One line for each of the `top` functions, with the labels `function` and `file`, the one with the most first. Of self
 * values a last line, with the label `rest`, has what is missing to all samples: those of the other functions and those
 * without one. Totals overlap, so that there is no rest of them.
 */
export function linesByFunction({ functions, rows }: FunctionCounts, part: FunctionPart, top: number): RangeSeries[] {
  const sums = new Float64Array(functions.name.length);
  for (const row of rows) {
    const column = part === 'self' ? row.self : row.inclusive;
    for (let i = 0; i < row.function.length; i++) {
      const id = row.function[i] ?? 0;
      sums[id] = (sums[id] ?? 0) + (column[i] ?? 0);
    }
  }
  const order = [...sums.keys()].filter((id) => sums[id] !== 0);
  order.sort((a, b) => (sums[b] ?? 0) - (sums[a] ?? 0) || compare(functions.name[a], functions.name[b]));
  const chosen = order.slice(0, top);
  const times = rows.map(({ timeMs }) => timeMs);
  const lines: RangeSeries[] = chosen.map((id) => {
    const samples = rows.map((row) => samplesOf(row, id, part));
    const labels = { function: functions.name[id] ?? '', file: functions.file[id] ?? '' };
    return { labels, times, values: rows.map((row, i) => valueOf(row, samples[i] ?? 0)), samples };
  });
  if (part === 'total') return lines;
  const rest = order.length - chosen.length;
  return [...lines, restOf(rows, lines, rest)];
}

function restOf(rows: readonly CountsRow[], lines: readonly RangeSeries[], functions: number): RangeSeries {
  return {
    labels: { rest: functions === 1 ? '1 other function' : `${functions} other functions` },
    times: rows.map(({ timeMs }) => timeMs),
    values: rows.map(({ value }, i) => lines.reduce((left, line) => left - (line.values[i] ?? 0n), value)),
    samples: rows.map(({ samples }, i) => lines.reduce((left, line) => left - (line.samples[i] ?? 0), samples)),
  };
}

function samplesOf(row: CountsRow, id: number, part: FunctionPart): number {
  const at = firstNotBelow(row.function, id);
  return (row.function[at] === id ? (part === 'self' ? row.self : row.inclusive)[at] : 0) ?? 0;
}

function valueOf({ valuePerSample = 0n }: CountsRow, samples: number): bigint {
  return BigInt(samples) * valuePerSample;
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
