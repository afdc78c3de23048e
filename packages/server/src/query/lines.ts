import { linesOfFunction } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { answerHead } from './columns.ts';
import { mergeFor } from './merged.ts';
import { type Parameters, required } from './parameters.ts';

/** What each line of one function costs, as `go tool pprof -list` counts. One without samples has no lines. */
export async function answerLines(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<http.LinesAnswer> {
  const name = required(parameters, 'function', 'the name of a function as /api/v1/top shows it');
  const { range, choice, merged } = await mergeFor(storage, parameters, nowMs, [], check);
  const found = linesOfFunction(merged.profile, merged.typeIndex, name);
  check();
  const { self, total, samples, selfSamples } = found.function;
  return {
    ...answerHead(choice, range),
    profiles: merged.profiles,
    function: { name, self: String(self), total: String(total), samples, selfSamples },
    lines: found.lines.map((one) => ({
      file: one.file,
      line: String(one.line),
      binary: one.binary,
      buildId: one.buildId,
      self: String(one.self),
      total: String(one.total),
      samples: one.samples,
      selfSamples: one.selfSamples,
    })),
  };
}
