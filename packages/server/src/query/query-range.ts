import type { http } from '@everflame/protocols';
import type { StorageReader } from '../storage/storage.ts';
import { answerHead } from './columns.ts';
import { type Parameters, present, readSelector, readStepMs, readTimeRange } from './parameters.ts';
import { chooseProfile } from './profile-choice.ts';

/** Values over time; one line for each value of the label `by`, the one with the most first. */
export async function answerQueryRange(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
): Promise<http.QueryRangeAnswer> {
  const range = readTimeRange(parameters, nowMs);
  const stepMs = readStepMs(parameters, range);
  const by = present(parameters, 'by');
  const choice = await chooseProfile(storage, readSelector(parameters), range);
  const lines = choice === null ? [] : await storage.range(choice.selection, stepMs, by === undefined ? [] : [by]);
  const sorted = lines
    .map((line) => ({ line, sum: line.values.reduce((sum, value) => sum + value, 0n) }))
    .sort((a, b) => (a.sum < b.sum ? 1 : a.sum > b.sum ? -1 : 0));
  return {
    ...answerHead(choice, range),
    stepMs,
    series: sorted.map(({ line }) => ({
      labels: { ...line.labels },
      times: [...line.times],
      values: line.values.map(String),
      samples: [...line.samples],
    })),
  };
}
