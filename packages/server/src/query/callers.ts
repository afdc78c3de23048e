import { callersOf } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { answerHead } from './columns.ts';
import { treeFor } from './merged.ts';
import { type Parameters, required } from './parameters.ts';
import { topRows } from './top.ts';

/** Callers and callees of one function, as `go tool pprof -peek` counts them. One without samples has none. */
export async function answerCallers(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<http.CallersAnswer> {
  const name = required(parameters, 'function', 'the name of a function as /api/v1/top shows it');
  const { range, choice, tree, profiles } = await treeFor(storage, parameters, nowMs, check);
  const found = callersOf(tree, name);
  const head = { ...answerHead(choice, range), profiles };
  if (found === undefined) {
    const row = { name, file: '', binary: '', self: '0', total: '0', samples: 0, selfSamples: 0 };
    return { ...head, function: row, callers: [], callees: [] };
  }
  const { file, binary, self, total, samples, selfSamples } = found.function;
  return {
    ...head,
    function: { name, file, binary, self: String(self), total: String(total), samples, selfSamples },
    callers: topRows(found.callers),
    callees: topRows(found.callees),
  };
}
