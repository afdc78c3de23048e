import { basename } from 'node:path';
import {
  answerOf,
  callTreeOfProfiles,
  compare,
  CompareFailure,
  type CompareInput,
  CountsBuilder,
  countLines,
  countsOfProfile,
  FunctionTable,
  type FunctionWeights,
  type GroupCounts,
  isChange,
  type LineSide,
  placesOf,
  type SideCounts,
  withLines,
} from '@everflame/compare';
import {
  inferProfileName,
  labelText,
  mergeProfiles,
  type Profile,
  type ProfileType,
  profileTypesOf,
} from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { CommandFailure, exitCodes } from '../failure.ts';
import { readProfile, sampleTypeIndex } from '../profile-file.ts';
import { requestsOf, runsOf } from '../requests/requests-comment.ts';

export interface FileComparison {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Which value of the files; left out: each file's default. */
  readonly sampleType: string | undefined;
  /** Left out: by the runs of files that are whole runs of a command, whose work is the same; else by all samples. */
  readonly normalisation?: 'share' | 'cores' | 'request';
  readonly minEffect: number;
  readonly q: number;
}

interface File {
  readonly path: string;
  readonly profile: Profile;
  readonly typeIndex: number;
  readonly counts: GroupCounts;
  /** Requests that were served, or runs of a command; null when neither is known. */
  readonly requests: number | null;
}

/** Compares recorded profiles as the server compares versions; each file is a unit. Throws CommandFailure for what cannot be read or compared. */
export function compareFiles(asked: FileComparison): http.CompareAnswer {
  const table = new FunctionTable();
  const read = (path: string): File => {
    const profile = readProfile(path);
    const typeIndex = sampleTypeIndex(profile, asked.sampleType);
    const counts = countsOfProfile(profile, typeIndex, table, () => '').get('') ?? noCounts;
    return { path, profile, typeIndex, counts, requests: requestsOf(profile) };
  };
  const [before, after, requestKind] = withWork(asked.before.map(read), asked.after.map(read));
  const type = commonType([...before, ...after]);
  const normalisation = asked.normalisation ?? (requestKind === 'run' ? 'request' : 'share');
  if (normalisation === 'request') checkRequests([...before, ...after]);
  const names = unitNames(before, after);
  const places = placesOf(table, weightsOf(before, table.length), weightsOf(after, table.length));
  const input: CompareInput = {
    before: countsOf('before', before, names, places.before),
    after: countsOf('after', after, names, places.after),
    functions: table,
    kind: 'file',
    formerNames: places.formerNames,
    options: { normalisation, requestKind, minEffect: asked.minEffect, q: asked.q },
  };
  table.freeze();
  const sides = [mergedOf(before, asked.sampleType), mergedOf(after, asked.sampleType)] as const;
  try {
    const plain = compare({ ...input, tree: callTreeOfProfiles(sides[0], sides[1], table, places) });
    const wanted = new Set(plain.functions.filter(isChange).map(({ id }) => id));
    const lineSides = (files: readonly File[]): LineSide[] =>
      files.map((file) => ({ ...file, unitOf: () => names.get(file) ?? file.path }));
    const cells = countLines(lineSides(before), lineSides(after), table, places, wanted);
    const comparison = cells === null ? plain : withLines(plain, input, cells);
    return answerOf(comparison, {
      service: '',
      profileType: type.id,
      unit: type.sampleUnit,
      before: sideOf(before),
      after: sideOf(after),
      past: 0,
      controls: 0,
      minEffect: asked.minEffect,
      q: asked.q,
    });
  } catch (error) {
    if (!(error instanceof CompareFailure)) throw error;
    const code = error.code === 'no_exposure' ? exitCodes.notEnough : exitCodes.failed;
    throw new CommandFailure(`these files cannot be compared: ${error.message}`, code);
  }
}

/** Where no file counts requests and each is of whole runs of a command, the runs are what CPU is divided by. */
function withWork(
  before: readonly File[],
  after: readonly File[],
): readonly [before: readonly File[], after: readonly File[], kind: 'request' | 'run'] {
  const all = [...before, ...after];
  if (all.some(({ profile, requests }) => requests !== null || runsOf(profile) === null))
    return [before, after, 'request'];
  const byRuns = (file: File): File => ({ ...file, requests: runsOf(file.profile) });
  return [before.map(byRuns), after.map(byRuns), 'run'];
}

function checkRequests(files: readonly File[]): void {
  const [without] = files.filter(({ requests }) => !((requests ?? 0) > 0));
  if (without === undefined) return;
  const why = 'does not say how many requests were served: record it with --requests, or compare shares';
  throw new CommandFailure(`${without.path} ${why}`, exitCodes.usage);
}

const noCounts: GroupCounts = {
  samples: 0,
  value: 0n,
  functions: new Uint32Array(0),
  self: new Float64Array(0),
  inclusive: new Float64Array(0),
};

/** Do the samples of these files have counts behind them, so that noise can be judged? A heap profile has sizes instead. */
export function hasSampleCounts(path: string, sampleType: string | undefined): boolean {
  const profile = readProfile(path);
  const type = profile.sampleTypes[sampleTypeIndex(profile, sampleType)];
  return profile.sampleTypes.some((one) => one.type === 'samples' && one.unit === 'count') && type?.unit !== 'bytes';
}

function commonType(files: readonly File[]): ProfileType {
  const types = files.map(({ profile, typeIndex }) => {
    const type = profileTypesOf(profile, inferProfileName(profile))[typeIndex];
    if (type === undefined) throw new Error('a sample type without a profile type');
    return type;
  });
  const [first] = types;
  if (first === undefined) throw new Error('no files');
  const other = types.find((one) => one.sampleType !== first.sampleType || one.sampleUnit !== first.sampleUnit);
  if (other === undefined) return first;
  throw new CommandFailure(
    `the files measure different things: ${first.sampleType} and ${other.sampleType}; choose one with --sample-type`,
  );
}

/**
 * What each file is called: the same name on both sides makes a pair. Files of one name are, else those whose samples all have the same
 * host; whatever is not told apart so on its own side has its path, which pairs with nothing.
 */
function unitNames(before: readonly File[], after: readonly File[]): ReadonlyMap<File, string> {
  const names = new Map<File, string>();
  for (const nameOf of [({ path }: File) => basename(path), hostOf]) {
    const unique = [before, after].map((files) =>
      uniqueNames(
        files.filter((file) => !names.has(file)),
        nameOf,
      ),
    );
    const [left, right] = unique;
    for (const [name, file] of left ?? []) {
      const partner = right?.get(name);
      if (partner === undefined) continue;
      for (const one of [file, partner]) names.set(one, name);
    }
  }
  for (const [side, files] of Object.entries({ before, after }))
    for (const [i, file] of files.entries()) if (!names.has(file)) names.set(file, `${side} ${i} ${file.path}`);
  return names;
}

function uniqueNames(files: readonly File[], nameOf: (file: File) => string | null): ReadonlyMap<string, File> {
  const named = new Map<string, File[]>();
  for (const file of files) {
    const name = nameOf(file);
    if (name !== null) named.set(name, [...(named.get(name) ?? []), file]);
  }
  return new Map(
    [...named].flatMap(([name, [file, ...others]]) => (file && others.length === 0 ? [[name, file]] : [])),
  );
}

/** The host that all samples name. */
function hostOf({ profile }: File): string | null {
  const hosts = new Set<string | null>();
  for (const set of new Set(profile.samples.labelSet))
    hosts.add(labelText(profile, set, 'host_name') ?? labelText(profile, set, 'host') ?? null);
  const [host = null] = hosts;
  return hosts.size === 1 ? host : null;
}

function weightsOf(files: readonly File[], functions: number): FunctionWeights {
  const sums = new Float64Array(functions);
  for (const { counts } of files)
    for (const [i, id] of counts.functions.entries()) sums[id] = (sums[id] ?? 0) + (counts.inclusive[i] ?? 0);
  return { inclusive: sums, samples: files.reduce((sum, { counts }) => sum + counts.samples, 0) };
}

function countsOf(
  version: string,
  files: readonly File[],
  names: ReadonlyMap<File, string>,
  places: Uint32Array,
): SideCounts {
  const samples = files.reduce((sum, { counts }) => sum + counts.samples, 0);
  const value = files.reduce((sum, { counts }) => sum + counts.value, 0n);
  const isTime = files.every(({ profile, typeIndex }) => profile.sampleTypes[typeIndex]?.unit === 'nanoseconds');
  const builder = new CountsBuilder(version, places.length, isTime && samples > 0 ? Number(value) / samples / 1e9 : 1);
  for (const file of files) {
    const seconds = isTime ? Number(file.profile.durationNanos) / 1e9 : 0;
    builder.add(names.get(file) ?? file.path, { ...file.counts, seconds, requests: file.requests }, places);
  }
  return builder.finish();
}

function mergedOf(files: readonly File[], sampleType: string | undefined): { profile: Profile; typeIndex: number } {
  const merged = mergeProfiles(files.map(({ profile }) => profile));
  if (!merged.ok)
    throw new CommandFailure(`${files.map(({ path }) => path).join(', ')} cannot be merged: ${merged.error.message}`);
  return { profile: merged.profile, typeIndex: sampleTypeIndex(merged.profile, sampleType) };
}

function sideOf(files: readonly File[]) {
  const times = files.map(({ profile: { timeNanos, durationNanos } }) => ({
    from: Number(timeNanos / 1_000_000n),
    until: Number((timeNanos + durationNanos) / 1_000_000n),
  }));
  return {
    query: files.map(({ path }) => path).join(' '),
    from: Math.min(...times.map(({ from }) => from)),
    until: Math.max(...times.map(({ until }) => until)),
    profiles: files.length,
    total: files.reduce((sum, { counts }) => sum + counts.value, 0n),
  };
}
