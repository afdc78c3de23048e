import type { http } from '@everflame/protocols';

/** One band of a stacked chart: what is drawn is exact sums as numbers. */
export interface Band {
  readonly label: string;
  /** Null in a step where nothing at all was stored: a gap. */
  readonly values: readonly (number | null)[];
  readonly total: number;
  /** Index of the band's colour; -1 for what is left over. */
  readonly colour: number;
}
export interface Bands {
  /** Starts of the steps, Unix milliseconds, without holes. */
  readonly times: readonly number[];
  readonly bands: readonly Band[];
}

/** The series with the largest sums as bands, the others as one; steps that nobody has are gaps. */
export function bandsOf(answer: http.QueryRangeAnswer, by: string, limit = 8): Bands {
  const { stepMs } = answer;
  const present = new Set<number>();
  for (const series of answer.series) for (const time of series.times) present.add(time);
  if (present.size === 0) return { times: [], bands: [] };
  let first = Infinity;
  let last = -Infinity;
  for (const time of present) {
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  const times: number[] = [];
  for (let time = first; time <= last; time += stepMs) times.push(time);
  const rows = answer.series
    .map((series) => {
      const at = new Map(series.times.map((time, index) => [time, Number(series.values[index] ?? '0')]));
      let total = 0;
      for (const value of at.values()) total += value;
      return { label: by === '' ? '' : (series.labels[by] ?? ''), at, total };
    })
    .toSorted((a, b) => b.total - a.total);
  const band = (label: string, members: typeof rows, colour: number): Band => ({
    label,
    colour,
    total: members.reduce((sum, row) => sum + row.total, 0),
    values: times.map((time) =>
      present.has(time) ? members.reduce((sum, row) => sum + (row.at.get(time) ?? 0), 0) : null,
    ),
  });
  const shown = rows.length > limit ? rows.slice(0, limit - 1) : rows;
  const others = rows.slice(shown.length);
  const bands = shown.map((row, index) => band(row.label, [row], index));
  if (others.length > 0) bands.push(band(`${others.length} others`, others, -1));
  return { times, bands };
}
