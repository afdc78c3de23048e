import { buildTree, isUnfiltered, limitTree, ProfileBuilder, type ProfileFilters, usesTags } from '@everflame/profile';
import type {
  Merged,
  MergedTree,
  MergeQuery,
  RangeSeries,
  Selection,
  StorageReader,
  TimeRange,
} from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { filterMerged, labelsForFilters, readFilters } from './filters.ts';
import { type Parameters, readSelector, readTimeRange } from './parameters.ts';
import { type Choice, chooseProfile } from './profile-choice.ts';

/** What a selector and a range come to. */
export interface MergedAnswer {
  readonly range: TimeRange;
  readonly choice: Choice | null;
  readonly merged: Merged;
}

/**
 * Reads the parameters, decides on the profile type, merges and filters. `names`: labels that the samples are to be grouped
 * by. Nothing stored gives an empty profile.
 *
 * @throws Refused, StorageError
 */
export async function mergeFor(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  names: readonly string[],
  check: Check,
): Promise<MergedAnswer> {
  const range = readTimeRange(parameters, nowMs);
  const filters = readFilters(parameters);
  const choice = await chooseProfile(storage, readSelector(parameters), range);
  const labels = await labelsForFilters(storage, filters, names, range);
  const merged = await mergeChoice(storage, choice, labels, check);
  return { range, choice, merged: filterMerged(merged, filters, check) };
}

export interface TreeAnswer extends MergedTree {
  readonly range: TimeRange;
  readonly choice: Choice | null;
}

/**
 * The tree of what a selector, a range and filters come to; with `maxNodes` what `limitTree` leaves of it.
 *
 * @throws Refused, StorageError
 */
export async function treeFor(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
  maxNodes?: number,
): Promise<TreeAnswer> {
  const range = readTimeRange(parameters, nowMs);
  const filters = readFilters(parameters);
  const choice = await chooseProfile(storage, readSelector(parameters), range);
  return { range, choice, ...(await treeOfChoice(storage, choice, filters, check, maxNodes)) };
}

export async function treeOfChoice(
  storage: StorageReader,
  choice: Choice | null,
  filters: ProfileFilters,
  check: Check,
  maxNodes?: number,
): Promise<MergedTree> {
  check();
  if (choice !== null && isUnfiltered(filters)) {
    const found = await storage.tree?.({ ...choice.selection, check }, maxNodes);
    check();
    if (found !== null && found !== undefined) return found;
  }
  const whole = await mergeChoice(storage, choice, usesTags(filters) ? 'own' : [], check);
  const { profile, typeIndex, profiles } = filterMerged(whole, filters, check);
  const tree = buildTree(profile, typeIndex);
  return { tree: maxNodes === undefined ? tree : limitTree(tree, { maxNodes }), profiles };
}

export async function mergeChoice(
  storage: StorageReader,
  choice: Choice | null,
  labels: MergeQuery['labels'],
  check: Check,
): Promise<Merged> {
  check();
  if (choice !== null) {
    const query: MergeQuery = { ...choice.selection, labels, check };
    const merged = await storage.merge(query);
    check();
    return merged;
  }
  const profile = new ProfileBuilder({ sampleTypes: [{ type: '', unit: '' }] }).build();
  return { profile, typeIndex: 0, profiles: 0 };
}

export async function rangeOf(
  storage: StorageReader,
  { selection }: Choice,
  stepMs: number,
  by: readonly string[],
  check: Check,
): Promise<readonly RangeSeries[]> {
  check();
  const asked: Selection = { ...selection, check };
  const lines = await storage.range(asked, stepMs, by);
  check();
  return lines;
}
