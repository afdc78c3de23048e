import { compileFilters, filterNames, filterProfile, type ProfileFilters, usesTags } from '@everflame/profile';
import { Refused } from '../problem.ts';
import type { Merged, StorageReader, TimeRange } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { type Parameters, present } from './parameters.ts';

/** @throws Refused 400 `bad_filter`, with the filter at fault */
export function readFilters(parameters: Parameters): ProfileFilters {
  const texts = Object.fromEntries(filterNames.map((name) => [name, present(parameters, name)]));
  const compiled = compileFilters(texts);
  if (compiled.ok) return compiled.filters;
  throw new Refused(400, 'bad_filter', `${compiled.name}: ${compiled.message}`, compiled.name);
}

export function filterMerged(merged: Merged, filters: ProfileFilters, check: Check): Merged {
  return { ...merged, profile: filterProfile(merged.profile, filters, check) };
}

/**
 * Which labels merged samples must carry for these filters, when `names` are to be grouped by: filters look at the labels
 * that samples were posted with.
 *
 * @throws Refused 400 `tags_with_series_label`
 */
export async function labelsForFilters(
  storage: StorageReader,
  filters: ProfileFilters,
  names: readonly string[],
  range: TimeRange,
): Promise<'own' | readonly string[]> {
  if (!usesTags(filters)) return names;
  const ofSamples = names.length === 0 ? [] : await storage.sampleLabelNames(range);
  const other = names.find((name) => !ofSamples.includes(name));
  if (other === undefined) return 'own';
  const detail = `${other} is a label of series, and the tag filters look at the labels of samples: put the condition into the selector instead, {thread_name="x"}, or group by a label of samples`;
  throw new Refused(400, 'tags_with_series_label', detail, 'group_by');
}
