import { buildTree } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { amountColumns, answerHead, frameColumns, numbers } from './columns.ts';
import { mergeFor } from './merged.ts';
import { type Parameters, present } from './parameters.ts';

/** The merged tree, by a label's values first when `group_by` names one. */
export async function answerFlamegraph(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<http.FlamegraphAnswer> {
  const groupBy = present(parameters, 'group_by');
  const labels = groupBy === undefined ? [] : [groupBy];
  const { range, choice, merged } = await mergeFor(storage, parameters, nowMs, labels, check);
  const tree = buildTree(merged.profile, merged.typeIndex, groupBy === undefined ? {} : { groupBy });
  return {
    ...answerHead(choice, range),
    profiles: merged.profiles,
    frames: frameColumns(tree),
    nodes: { parent: numbers(tree.parent), frame: numbers(tree.frame), ...amountColumns(tree) },
  };
}
