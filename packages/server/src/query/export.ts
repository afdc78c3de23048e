import { foldedStacks } from '@everflame/profile';
import { Refused } from '../problem.ts';
import type { StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { mergeFor } from './merged.ts';
import { type Parameters, required } from './parameters.ts';
import { type Reply, textReply } from './query-messages.ts';

const formats = ['folded'] as const;

/** The merged profile in another tool's format. `folded`: `root;…;leaf value` lines, kernel frames marked `_[k]`. */
export async function answerExport(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<Reply> {
  const format = required(parameters, 'format', formats.join(' or '));
  if (format !== 'folded') {
    const detail = `format ${JSON.stringify(format)} is not known: give ${formats.join(' or ')}; for a pprof file see /api/v1/pprof`;
    throw new Refused(400, 'bad_format', detail, 'format');
  }
  const { merged } = await mergeFor(storage, parameters, nowMs, [], check);
  return textReply(foldedStacks(merged.profile, merged.typeIndex, { kernelSuffix: '_[k]' }), 'profile.folded');
}
