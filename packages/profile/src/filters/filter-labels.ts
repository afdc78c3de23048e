import type { LabelSetTable, Profile } from '../profile.ts';
import { LABEL_WORDS, labelSetColumns } from '../tables/columns.ts';
import { SequenceTable } from '../tables/sequence-table.ts';
import { type ProfileFilters, usesTags } from './profile-filters.ts';
import type { SampleTags } from './tag-filter.ts';

export interface FilteredLabels {
  readonly labelSets: LabelSetTable;
  /** The new row of each label set. */
  readonly setOf: Uint32Array;
  /** Whether samples with a label set stay. */
  readonly isKept: Uint8Array;
}

/** Decides on each label set, and takes out the labels that are not to be seen. */
export function filterLabels(profile: Profile, filters: ProfileFilters, check: () => void): FilteredLabels {
  const { labelSets, strings } = profile;
  const setOf = Uint32Array.from({ length: labelSets.length }, (_, set) => set);
  const isKept = new Uint8Array(labelSets.length).fill(1);
  if (!usesTags(filters)) return { labelSets, setOf, isKept };
  const { tagFocus, tagIgnore, tagShow, tagHide } = filters;
  const units = unitsOfLabels(profile);
  const unitOf = (key: string): string => units.get(key) ?? key;
  const isShown = (key: string): boolean => (tagShow?.(key) ?? true) && !(tagHide?.(key) ?? false);
  const table = new SequenceTable();
  for (let set = 0; set < labelSets.length; set++) {
    if (set % 64 === 0) check();
    const tags = tagsOf(profile, set);
    if (tagFocus?.(tags, unitOf) === false || tagIgnore?.(tags, unitOf) === true) isKept[set] = 0;
    table.begin();
    for (let label = labelSets.offset[set] ?? 0; label < (labelSets.offset[set + 1] ?? 0); label++) {
      if (!isShown(strings[labelSets.keyString[label] ?? 0] ?? '')) continue;
      table.put(labelSets.keyString[label] ?? 0);
      table.put(labelSets.textString[label] ?? 0);
      table.put64(labelSets.number[label] ?? 0n);
      table.put(labelSets.unitString[label] ?? 0);
    }
    setOf[set] = table.scratch.length < LABEL_WORDS ? 0 : table.intern();
  }
  return { labelSets: labelSetColumns(table), setOf, isKept };
}

/** As google/pprof decodes them: a number 0 without a unit is no label. */
function tagsOf({ labelSets, strings }: Profile, set: number): SampleTags {
  const text: { key: string; value: string }[] = [];
  const numbers: { key: string; value: bigint }[] = [];
  for (let label = labelSets.offset[set] ?? 0; label < (labelSets.offset[set + 1] ?? 0); label++) {
    const key = strings[labelSets.keyString[label] ?? 0] ?? '';
    const textString = labelSets.textString[label] ?? 0;
    const value = labelSets.number[label] ?? 0n;
    if (textString !== 0) text.push({ key, value: strings[textString] ?? '' });
    else if (value !== 0n || labelSets.unitString[label] !== 0) numbers.push({ key, value });
  }
  return { text, numbers };
}

/** One unit for each numeric label: the first that a sample says, else one told from its name (NumLabelUnits of google/pprof). */
function unitsOfLabels({ labelSets, strings, samples }: Profile): ReadonlyMap<string, string> {
  const units = new Map([
    ['alignment', 'bytes'],
    ['request', 'bytes'],
  ]);
  const said = new Set<string>();
  const isDone = new Uint8Array(labelSets.length);
  for (const set of samples.labelSet) {
    if (isDone[set] === 1) continue;
    isDone[set] = 1;
    for (let label = labelSets.offset[set] ?? 0; label < (labelSets.offset[set + 1] ?? 0); label++) {
      const key = strings[labelSets.keyString[label] ?? 0] ?? '';
      const unit = labelSets.textString[label] === 0 ? (strings[labelSets.unitString[label] ?? 0] ?? '') : '';
      if (unit === '' || said.has(key)) continue;
      said.add(key);
      units.set(key, unit);
    }
  }
  return units;
}
