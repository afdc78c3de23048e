import type { http } from '@everflame/protocols';

/** Sums of steps of equal length, in time order; steps without data are left out. */
export interface Steps {
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly stepMs: number;
}

export interface Average {
  /** Value per nanosecond of wall time: for CPU nanoseconds, cores. */
  readonly rate: number;
  /** Wall time that it is an average of. */
  readonly overMs: number;
}

/** All series of an answer added up. */
export function stepsOf(answer: Pick<http.QueryRangeAnswer, 'series' | 'stepMs'>): Steps {
  const sums = new Map<number, number>();
  for (const { times, values } of answer.series) {
    for (const [index, time] of times.entries()) sums.set(time, (sums.get(time) ?? 0) + Number(values[index] ?? '0'));
  }
  const times = [...sums.keys()].toSorted((a, b) => a - b);
  return { times, values: times.map((time) => sums.get(time) ?? 0), stepMs: answer.stepMs };
}

/**
 * Average over the time that has data, so that an hour of which two minutes were profiled does not look idle. The first and
 * the last step are usually covered in part only; from three steps on they are left out.
 */
export function averageOf({ times, values, stepMs }: Steps): Average | null {
  if (times.length === 0) return null;
  const inner = times.length >= 3 ? values.slice(1, -1) : values;
  const overMs = inner.length * stepMs;
  return { rate: inner.reduce((sum, value) => sum + value, 0) / (overMs * 1e6), overMs };
}

/** The newest step that can be complete: its end lies an agent's interval and a delivery back. Null when that has no data. */
export function latestOf({ times, values, stepMs }: Steps, nowMs: number): number | null {
  const deliveryMs = 15_000;
  for (let index = times.length - 1; index >= 0; index--) {
    const end = (times[index] ?? 0) + stepMs;
    if (end > nowMs - deliveryMs && index > 0) continue;
    return end < nowMs - deliveryMs - 2 * stepMs ? null : (values[index] ?? 0) / (stepMs * 1e6);
  }
  return null;
}
