import { binariesOf } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { answerHead } from './columns.ts';
import { mergeFor } from './merged.ts';
import type { Parameters } from './parameters.ts';

/** Which builds of which files samples pass through. */
export async function answerBinaries(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<http.BinariesAnswer> {
  const { range, choice, merged } = await mergeFor(storage, parameters, nowMs, [], check);
  const binaries = binariesOf(merged.profile).map((one) => ({ ...one }));
  check();
  return { ...answerHead(choice, range), profiles: merged.profiles, binaries };
}
