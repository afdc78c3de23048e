import { parseProfileType, type ProfileType, profileTypesOf, type Selector, type ValueType } from '@everflame/profile';
import { Refused } from '../problem.ts';
import type { Selection, SeriesFact, StorageReader, TimeRange } from '../storage/storage.ts';

/** The one profile type that a question is about, and where its samples are. */
export interface Choice {
  readonly profileType: ProfileType;
  readonly selection: Selection;
  /** The type was said, not found out. */
  readonly isExplicit: boolean;
}

/**
 * Decides what a selector means in a range. A type that is left out is told from what is stored: the default sample type
 * (pprof's rule: the profile's own default, else the last) where all that fits has the same. Null: left out, and nothing fits.
 *
 * @throws Refused 400 `ambiguous_profile_type`, `bad_profile_type`
 */
export async function chooseProfile(
  storage: StorageReader,
  { profileType: said, matchers }: Selector,
  range: TimeRange,
): Promise<Choice | null> {
  const facts = await storage.series(range, matchers);
  const candidates = facts.flatMap((fact) => typesOf(fact));
  if (said === undefined || !said.includes(':')) {
    const fitting = candidates.filter(({ isDefault, type }) => isDefault && (said === undefined || type.name === said));
    const ids = [...new Set(fitting.map(({ type }) => type.id))];
    if (ids.length > 1) {
      const detail = `several profile types fit: put one of them before the selector: ${ids.join(', ')}`;
      throw new Refused(400, 'ambiguous_profile_type', detail, 'query');
    }
    const only = fitting[0];
    return only === undefined ? null : choice(only, { ...range, matchers }, false);
  }
  const parsed = parseProfileType(said);
  if (!parsed.ok) throw new Refused(400, 'bad_profile_type', parsed.error.message, 'query');
  const { profileType } = parsed;
  const stored = candidates.find(({ type }) => type.id === profileType.id);
  if (stored !== undefined) return choice(stored, { ...range, matchers }, true);
  return {
    profileType,
    isExplicit: true,
    selection: {
      ...range,
      matchers,
      name: profileType.name,
      sampleType: { type: profileType.sampleType, unit: profileType.sampleUnit },
      periodType: { type: profileType.periodType, unit: profileType.periodUnit },
    },
  };
}

interface StoredType {
  readonly type: ProfileType;
  readonly isDefault: boolean;
  readonly fact: SeriesFact;
  /** As it was posted; in `type` what an id cannot hold is replaced. */
  readonly sampleType: ValueType;
}

/** The profile types of a series, one for each sample type. */
export function typesOf(fact: SeriesFact): StoredType[] {
  const { sampleTypes, defaultSampleType } = fact;
  const named = sampleTypes.findIndex(({ type }) => type === defaultSampleType);
  const defaultIndex = defaultSampleType !== '' && named >= 0 ? named : sampleTypes.length - 1;
  return profileTypesOf(fact, fact.name).flatMap((type, i) => {
    const sampleType = sampleTypes[i];
    return sampleType === undefined ? [] : [{ type, isDefault: i === defaultIndex, fact, sampleType }];
  });
}

function choice(
  { type, fact, sampleType }: StoredType,
  selection: TimeRange & Pick<Selection, 'matchers'>,
  isExplicit: boolean,
): Choice {
  const { name, periodType } = fact;
  return { profileType: type, isExplicit, selection: { ...selection, name, sampleType, periodType } };
}
