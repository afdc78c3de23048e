import { type ProfileError, ProfileFailure } from '../profile-error.ts';
import type { Profile, ValueType } from '../profile.ts';
import { type LabelInput, ProfileBuilder } from './profile-builder.ts';

export type MergeResult =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly error: ProfileError };

export interface MergeOptions {
  /** Mappings of one profile stay apart, as `pprof -proto` leaves them that is given one file. */
  readonly keepsMappings?: boolean;
}

/**
 * Merges profiles exactly, as google/pprof's `Merge` does (profile/merge.go): sample types and period type must be the
 * same; mappings are the same when size (rounded up to 4 KiB), offset and build ID (or file) are, and addresses follow
 * the first one's start; samples of the same stack and labels are summed, and those that are zero throughout left out;
 * time is the earliest, duration the sum, period the greatest, comments the union; the rest is the first profile's.
 *
 * Errors: `incompatible` for other types, `overflow` for a sum beyond int64, `no_sample_types` for an empty list.
 */
export function mergeProfiles(profiles: readonly Profile[], { keepsMappings = false }: MergeOptions = {}): MergeResult {
  try {
    const first = profiles[0];
    if (first === undefined) {
      throw new ProfileFailure('no_sample_types', 'There are no profiles to merge.');
    }
    for (const [index, profile] of profiles.entries()) checkCompatible(first, profile, index);
    const merged = mergeInto(new ProfileBuilder(mergedHeader(profiles)), profiles, keepsMappings);
    // Sums that came to zero leave stacks behind that nobody needs.
    if (!hasZeroSample(merged)) return { ok: true, profile: merged };
    return { ok: true, profile: mergeInto(new ProfileBuilder(mergedHeader([merged])), [merged], keepsMappings) };
  } catch (error) {
    if (error instanceof ProfileFailure) return { ok: false, error: error.toError() };
    throw error;
  }
}

function sameType(a: ValueType, b: ValueType): boolean {
  return a.type === b.type && a.unit === b.unit;
}

function shown(types: readonly ValueType[]): string {
  return types.map(({ type, unit }) => `${type}/${unit}`).join(', ');
}

function checkCompatible(first: Profile, other: Profile, index: number): void {
  if (!sameType(first.periodType, other.periodType)) {
    const message = `Profile ${index} has the period type ${shown([other.periodType])}, the first one ${shown([first.periodType])}.`;
    throw new ProfileFailure('incompatible', message, 'period_type');
  }
  const same =
    first.sampleTypes.length === other.sampleTypes.length &&
    first.sampleTypes.every((type, t) => sameType(type, other.sampleTypes[t] ?? { type: '', unit: '' }));
  if (!same) {
    const message = `Profile ${index} has the sample types ${shown(other.sampleTypes)}, the first one ${shown(first.sampleTypes)}.`;
    throw new ProfileFailure('incompatible', message, 'sample_type');
  }
}

function mergedHeader(profiles: readonly Profile[]): ConstructorParameters<typeof ProfileBuilder>[0] {
  const [first] = profiles;
  let timeNanos = 0n;
  let durationNanos = 0n;
  let period = 0n;
  for (const profile of profiles) {
    if (timeNanos === 0n || (profile.timeNanos !== 0n && profile.timeNanos < timeNanos)) timeNanos = profile.timeNanos;
    durationNanos += profile.durationNanos;
    if (profile.period > period || period === 0n) period = profile.period;
  }
  if (BigInt.asIntN(64, durationNanos) !== durationNanos) {
    throw new ProfileFailure(
      'overflow',
      'The durations together do not fit a signed 64-bit integer.',
      'duration_nanos',
    );
  }
  return {
    sampleTypes: first?.sampleTypes ?? [],
    periodType: first?.periodType ?? { type: '', unit: '' },
    defaultSampleType: firstText(profiles.map((profile) => profile.defaultSampleType)),
    period,
    timeNanos,
    durationNanos,
    comments: [...new Set(profiles.flatMap((profile) => profile.comments))],
    dropFrames: first?.dropFrames ?? '',
    keepFrames: first?.keepFrames ?? '',
    docUrl: firstText(profiles.map((profile) => profile.docUrl)),
  };
}

function firstText(texts: readonly string[]): string {
  return texts.find((text) => text !== '') ?? '';
}

function hasZeroSample(profile: Profile): boolean {
  for (let i = 0; i < profile.samples.length; i++) if (isZeroSample(profile, i)) return true;
  return false;
}

function isZeroSample({ samples, sampleTypes }: Profile, sample: number): boolean {
  const first = sample * sampleTypes.length;
  for (let t = first; t < first + sampleTypes.length; t++) if (samples.values[t] !== 0n) return false;
  return true;
}

/** Where a mapping of a source went, and what its addresses are moved by. */
interface MergedMapping {
  readonly row: number;
  readonly memoryStart: bigint;
}

function mergeInto(builder: ProfileBuilder, profiles: readonly Profile[], keepsMappings: boolean): Profile {
  const mappings = new Map<string, MergedMapping>();
  for (const profile of profiles) new SourceMerger(builder, profile, mappings, keepsMappings).run();
  return builder.build();
}

/** Takes over one profile. What no sample needs is left out. */
class SourceMerger {
  readonly #builder: ProfileBuilder;
  readonly #source: Profile;
  readonly #mergedMappings: Map<string, MergedMapping>;
  readonly #keepsMappings: boolean;
  readonly #locations: Uint32Array;
  readonly #functions: Uint32Array;
  readonly #labelSets: Int32Array;

  constructor(
    builder: ProfileBuilder,
    source: Profile,
    mergedMappings: Map<string, MergedMapping>,
    keepsMappings: boolean,
  ) {
    this.#builder = builder;
    this.#source = source;
    this.#mergedMappings = mergedMappings;
    this.#keepsMappings = keepsMappings;
    this.#locations = new Uint32Array(source.locations.length);
    this.#functions = new Uint32Array(source.functions.length);
    this.#labelSets = new Int32Array(source.labelSets.length).fill(-1);
  }

  run(): void {
    const { samples, sampleTypes, mappings } = this.#source;
    // The first mapping stands for the main binary: it stays first.
    if (this.#mergedMappings.size === 0 && mappings.length > 1) this.#mapping(1);
    const stacks = this.#stacks();
    for (let i = 0; i < samples.length; i++) {
      if (isZeroSample(this.#source, i)) continue;
      const values = [...samples.values.subarray(i * sampleTypes.length, (i + 1) * sampleTypes.length)];
      this.#builder.add(
        stacks[samples.stack[i] ?? 0] ?? 0,
        this.#labelSet(samples.labelSet[i] ?? 0),
        values,
        samples.count[i],
      );
    }
  }

  /** The merged row of each stack that a sample uses. Parents precede children, so one pass down marks, one up maps. */
  #stacks(): Uint32Array {
    const { samples, stacks } = this.#source;
    const used = new Uint8Array(stacks.length);
    for (let i = 0; i < samples.length; i++) if (!isZeroSample(this.#source, i)) used[samples.stack[i] ?? 0] = 1;
    for (let s = stacks.length - 1; s > 0; s--) if (used[s] === 1) used[stacks.parent[s] ?? 0] = 1;
    const merged = new Uint32Array(stacks.length);
    for (let s = 1; s < stacks.length; s++) {
      if (used[s] !== 1) continue;
      merged[s] = this.#builder.stack(merged[stacks.parent[s] ?? 0] ?? 0, this.#location(stacks.location[s] ?? 0));
    }
    return merged;
  }

  #location(row: number): number {
    const known = this.#locations[row] ?? 0;
    if (known !== 0) return known;
    const { locations, mappings } = this.#source;
    const sourceMapping = locations.mapping[row] ?? 0;
    const mapping = this.#mapping(sourceMapping);
    const moved = sourceMapping === 0 ? 0n : mapping.memoryStart - (mappings.memoryStart[sourceMapping] ?? 0n);
    const lines = [];
    for (let line = locations.lineOffset[row] ?? 0; line < (locations.lineOffset[row + 1] ?? 0); line++) {
      lines.push({
        function: this.#function(locations.lineFunction[line] ?? 0),
        line: locations.lineNumber[line] ?? 0n,
        column: locations.lineColumn[line] ?? 0n,
      });
    }
    const merged = this.#builder.location({
      mapping: mapping.row,
      address: BigInt.asUintN(64, (locations.address[row] ?? 0n) + moved),
      isFolded: locations.isFolded[row] === 1,
      lines,
    });
    this.#locations[row] = merged;
    return merged;
  }

  #mapping(row: number): MergedMapping {
    if (row === 0) return { row: 0, memoryStart: 0n };
    const { mappings, strings } = this.#source;
    const memoryStart = mappings.memoryStart[row] ?? 0n;
    const memoryLimit = mappings.memoryLimit[row] ?? 0n;
    const fileOffset = mappings.fileOffset[row] ?? 0n;
    const file = strings[mappings.fileString[row] ?? 0] ?? '';
    const buildId = strings[mappings.buildIdString[row] ?? 0] ?? '';
    const pages = BigInt.asUintN(64, memoryLimit - memoryStart + 0xfffn) >> 12n;
    const key = this.#keepsMappings ? `${row}` : `${pages}:${fileOffset}:${buildId === '' ? file : buildId}`;
    const known = this.#mergedMappings.get(key);
    if (known !== undefined) return known;
    const merged = {
      row: this.#builder.mapping({
        memoryStart,
        memoryLimit,
        fileOffset,
        file,
        buildId,
        flags: mappings.flags[row] ?? 0,
      }),
      memoryStart,
    };
    this.#mergedMappings.set(key, merged);
    return merged;
  }

  #function(row: number): number {
    if (row === 0) return 0;
    const known = this.#functions[row] ?? 0;
    if (known !== 0) return known;
    const { functions, strings } = this.#source;
    const merged = this.#builder.function({
      name: strings[functions.nameString[row] ?? 0] ?? '',
      systemName: strings[functions.systemNameString[row] ?? 0] ?? '',
      file: strings[functions.fileString[row] ?? 0] ?? '',
      startLine: functions.startLine[row] ?? 0n,
    });
    this.#functions[row] = merged;
    return merged;
  }

  /** Labels in the order of their keys: what order a program wrote them in makes no other set. */
  #labelSet(set: number): number {
    const known = this.#labelSets[set] ?? -1;
    if (known >= 0) return known;
    const { labelSets, strings } = this.#source;
    const labels: LabelInput[] = [];
    for (let i = labelSets.offset[set] ?? 0; i < (labelSets.offset[set + 1] ?? 0); i++) {
      labels.push({
        key: strings[labelSets.keyString[i] ?? 0] ?? '',
        text: strings[labelSets.textString[i] ?? 0] ?? '',
        number: labelSets.number[i] ?? 0n,
        unit: strings[labelSets.unitString[i] ?? 0] ?? '',
      });
    }
    labels.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const merged = this.#builder.labelSet(labels);
    this.#labelSets[set] = merged;
    return merged;
  }
}
