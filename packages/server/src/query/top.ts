import { type FunctionColumns, functionsOfTree } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { answerHead } from './columns.ts';
import { treeFor } from './merged.ts';
import type { Parameters } from './parameters.ts';

/** All functions, the one with the most self value first, as `go tool pprof -top` counts them. */
export async function answerTop(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<http.TopAnswer> {
  const { range, choice, tree, profiles } = await treeFor(storage, parameters, nowMs, check);
  const functions = functionsOfTree(tree);
  return {
    ...answerHead(choice, range),
    profiles,
    total: String(functions.self.reduce((sum, value) => sum + value, 0n)),
    samples: functions.selfSamples.reduce((sum, count) => sum + count, 0),
    functions: topRows(functions),
  };
}

export function topRows({ frames, total, self, samples, selfSamples }: FunctionColumns): http.TopRow[] {
  return frames.name.map((name, i) => ({
    name,
    file: frames.file[i] ?? '',
    binary: frames.binary[i] ?? '',
    self: String(self[i] ?? 0n),
    total: String(total[i] ?? 0n),
    samples: samples[i] ?? 0,
    selfSamples: selfSamples[i] ?? 0,
  }));
}
