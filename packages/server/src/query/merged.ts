import { ProfileBuilder } from '@everflame/profile';
import type { Merged, MergeQuery, StorageReader, TimeRange } from '../storage/storage.ts';
import { type Parameters, readSelector, readTimeRange } from './parameters.ts';
import { type Choice, chooseProfile } from './profile-choice.ts';

/** What a selector and a range come to. */
export interface MergedAnswer {
  readonly range: TimeRange;
  readonly choice: Choice | null;
  readonly merged: Merged;
}

/**
 * Reads the parameters, decides on the profile type and merges. Nothing stored gives an empty profile.
 *
 * @throws Refused, StorageError
 */
export async function mergeFor(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  labels: MergeQuery['labels'],
): Promise<MergedAnswer> {
  const range = readTimeRange(parameters, nowMs);
  const choice = await chooseProfile(storage, readSelector(parameters), range);
  return { range, choice, merged: await mergeChoice(storage, choice, labels) };
}

export function mergeChoice(
  storage: StorageReader,
  choice: Choice | null,
  labels: MergeQuery['labels'],
): Promise<Merged> {
  if (choice !== null) return storage.merge({ ...choice.selection, labels });
  const profile = new ProfileBuilder({ sampleTypes: [{ type: '', unit: '' }] }).build();
  return Promise.resolve({ profile, typeIndex: 0, profiles: 0 });
}
