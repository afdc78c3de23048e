import type { PathProfile, Profile } from './profile.ts';

/** What a series measures. `id` is `name:sample_type:sample_unit:period_type:period_unit`. */
export interface ProfileType {
  readonly id: string;
  /** `process_cpu`, `memory`, `mutex`, `block`, `goroutine`, … */
  readonly name: string;
  readonly sampleType: string;
  readonly sampleUnit: string;
  readonly periodType: string;
  readonly periodUnit: string;
}

export type ProfileTypeResult =
  | { readonly ok: true; readonly profileType: ProfileType }
  | { readonly ok: false; readonly error: { readonly message: string } };

/** Makes a profile type of its five parts. */
export function makeProfileType(
  name: string,
  sampleType: string,
  sampleUnit: string,
  periodType: string,
  periodUnit: string,
): ProfileType {
  const id = [name, sampleType, sampleUnit, periodType, periodUnit].join(':');
  return { id, name, sampleType, sampleUnit, periodType, periodUnit };
}

/** Reads an id; the period may be empty (`memory:inuse_space:bytes::`). A sixth part, `delta`, is Pyroscope's and is passed over. */
export function parseProfileType(id: string): ProfileTypeResult {
  const parts = id.split(':');
  const [name, sampleType, sampleUnit, periodType, periodUnit, delta] = parts;
  const five = parts.length === 5 || (parts.length === 6 && delta === 'delta');
  if (
    !five ||
    name === undefined ||
    sampleType === undefined ||
    sampleUnit === undefined ||
    name === '' ||
    sampleType === ''
  ) {
    const message = `${JSON.stringify(id)} is not a profile type; one looks like process_cpu:cpu:nanoseconds:cpu:nanoseconds.`;
    return { ok: false, error: { message } };
  }
  return { ok: true, profileType: makeProfileType(name, sampleType, sampleUnit, periodType ?? '', periodUnit ?? '') };
}

/** The id of a profile type. */
export function formatProfileType(type: Omit<ProfileType, 'id'>): string {
  return [type.name, type.sampleType, type.sampleUnit, type.periodType, type.periodUnit].join(':');
}

/**
 * The profile types of a profile called `name`, one for each sample type, in order. What a part of an id cannot hold
 * (colons, braces, quotes, blanks) becomes `_`.
 */
export function profileTypesOf(profile: Pick<Profile, 'sampleTypes' | 'periodType'>, name: string): ProfileType[] {
  const { type: periodType, unit: periodUnit } = profile.periodType;
  return profile.sampleTypes.map(({ type, unit }) =>
    makeProfileType(part(name), part(type), part(unit), part(periodType), part(periodUnit)),
  );
}

function part(text: string): string {
  return text.replaceAll(/[:{}"'`\s,]/g, '_');
}

/** Told from a sample type's name, whatever its case (`wall`, `Wall time`, `CPU`); the first that fits. */
const BY_SAMPLE_TYPE: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['wall', /^wall/i],
  ['off_cpu', /^off[_-]?cpu/i],
  ['process_cpu', /cpu/i],
  ['memory', /^(alloc|inuse)_|^(space|objects|allocations|heap|memory)$/i],
  ['goroutine', /^goroutines?$/i],
  ['threadcreate', /^threadcreate$/i],
  ['mutex', /^mutex/i],
  ['block', /^(block|lock)_/i],
  ['exceptions', /^exceptions?/i],
];

/**
 * The name of a profile that does not say it: told from its sample types and, where these do not suffice, its period type
 * and its functions. Go's mutex and block profiles have the same types; a mutex profile is one in which every contended
 * stack ends in an unlock, since Go charges the delay to the holder.
 */
export function inferProfileName(profile: Profile | PathProfile): string {
  const types = profile.sampleTypes.map(({ type }) => type);
  for (const [name, pattern] of BY_SAMPLE_TYPE) if (types.some((type) => pattern.test(type))) return name;
  if (types.includes('contentions') || types.includes('delay')) return leavesUnlock(profile) ? 'mutex' : 'block';
  for (const [name, pattern] of BY_SAMPLE_TYPE) if (pattern.test(profile.periodType.type)) return name;
  const chosen = profile.defaultSampleType === '' ? types.at(-1) : profile.defaultSampleType;
  const identifier = (chosen ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, '_')
    .replace(/^(?=[0-9])/, '_');
  return identifier === '' || identifier === '_' ? 'profile' : identifier;
}

function leavesUnlock(profile: Profile | PathProfile): boolean {
  const { samples, locations, functions, strings } = profile;
  if (samples.length === 0) return false;
  for (let i = 0; i < samples.length; i++) {
    const location = leafOf(profile, i);
    const first = locations.lineOffset[location] ?? 0;
    const end = locations.lineOffset[location + 1] ?? 0;
    let unlocks = false;
    for (let line = first; line < end; line++) {
      const name = strings[functions.nameString[locations.lineFunction[line] ?? 0] ?? 0] ?? '';
      // runtime.unlock, sync.(*RWMutex).RUnlock, internal/sync.(*Mutex).Unlock, runtime._LostContendedRuntimeLock
      if (/unlock|LostContended/i.test(name)) unlocks = true;
    }
    if (!unlocks) return false;
  }
  return true;
}

/** The location that a sample ends in; 0 when it has none. */
function leafOf(profile: Profile | PathProfile, sample: number): number {
  if (!('paths' in profile)) return profile.stacks.location[profile.samples.stack[sample] ?? 0] ?? 0;
  const { offset, location } = profile.paths;
  const first = offset[sample] ?? 0;
  return first < (offset[sample + 1] ?? 0) ? (location[first] ?? 0) : 0;
}
