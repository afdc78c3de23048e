import type { Check } from '../query/budget.ts';
import { answerCompare } from '../query/compare.ts';
import { type Parameters, required } from '../query/parameters.ts';
import type { StorageReader } from '../storage/storage.ts';
import { type Look, lookOf } from './candidates.ts';

/**
 * A comparison as /api/v1/compare makes it, of which only what becomes of findings is answered. Parameters: `compare`, JSON of that route's; `names`, JSON of
 * what the two sides are called; `asked`, JSON of functions.
 */
export async function answerLook(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<Look> {
  const read = (name: string): unknown => JSON.parse(required(parameters, name, 'JSON'));
  const [before, after] = read('names') as readonly [before: string, after: string];
  const service = required(parameters, 'service', 'a service');
  const answer = await answerCompare(storage, read('compare') as Parameters, nowMs, check);
  const { summary } = answer;
  const named = {
    ...answer,
    service,
    summary: {
      ...summary,
      before: { ...summary.before, version: before },
      after: { ...summary.after, version: after },
    },
  };
  return lookOf(named, read('asked') as readonly (readonly [string, string])[]);
}
