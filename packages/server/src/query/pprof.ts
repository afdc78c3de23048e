import { discardProfile, type Profile, ProfileBuilder, profileParts, type ValueType } from '@everflame/profile';
import { Refused } from '../problem.ts';
import type { StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { filterMerged, readFilters } from './filters.ts';
import { gzipParts } from './gzip-parts.ts';
import { mergeChoice } from './merged.ts';
import { type Parameters, readSelector, readTimeRange } from './parameters.ts';
import { type Choice, chooseProfile } from './profile-choice.ts';
import type { Reply } from './query-messages.ts';

/** Every time that a stored profile can have. */
const allTime = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };

/**
 * The merged profile as a gzipped pprof file, with every sample type and label that was posted. The sample type that was
 * asked for is the file's default, so that `go tool pprof` shows the same as the page. Nothing in the range: an empty
 * profile with the sample types that such profiles have, so that a comparison with it works.
 *
 * @throws Refused 404 `nothing_stored` when not even a type is known
 */
export async function answerPprof(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<Reply> {
  const range = readTimeRange(parameters, nowMs);
  const selector = readSelector(parameters);
  const choice = await chooseProfile(storage, selector, range);
  const known = choice ?? (await chooseProfile(storage, selector, allTime));
  if (known === null) {
    const detail = `no stored profile fits ${parameters['query'] ?? '{}'}: GET /api/v1/series lists what there is`;
    throw new Refused(404, 'nothing_stored', detail, 'query');
  }
  const filters = readFilters(parameters);
  const selection = { ...known.selection, ...range };
  const whole = await mergeChoice(storage, { ...known, selection }, 'own', check);
  const merged = filterMerged(whole, filters, check);
  const found = merged.profiles > 0 ? merged.profile : await emptyLike(storage, known);
  const profile = known.isExplicit ? { ...found, defaultSampleType: known.selection.sampleType.type } : found;
  const body = await packed(profile, check);
  return { contentType: 'application/octet-stream', body, fileName: fileName(known, range.fromMs) };
}

/** Of a message. */
const partBytes = 1 << 20;
/** zlib's. */
const level = 4;

/** Gzipped pprof, part by part: the message, several times as large, is never there as a whole. Gives the profile back. */
function packed(profile: Profile, check: Check): Promise<Uint8Array<ArrayBuffer>> {
  const parts = function* () {
    for (const part of profileParts(profile, partBytes)) {
      check();
      yield part;
    }
    discardProfile(profile);
  };
  return gzipParts(parts(), level);
}

/** An empty profile with the sample types of the stored ones of this name and type. */
async function emptyLike(storage: StorageReader, { selection }: Choice): Promise<Profile> {
  const { name, sampleType, periodType } = selection;
  const alike = (await storage.series(allTime, [])).find(
    (fact) =>
      fact.name === name &&
      isSame(fact.periodType, periodType) &&
      fact.sampleTypes.some((type) => isSame(type, sampleType)),
  );
  return new ProfileBuilder({ sampleTypes: alike?.sampleTypes ?? [sampleType], periodType }).build();
}

function isSame(a: ValueType, b: ValueType): boolean {
  return a.type === b.type && a.unit === b.unit;
}

function fileName({ profileType }: Choice, fromMs: number): string {
  const time = new Date(fromMs).toISOString().replaceAll(/[:.]/g, '-');
  return `${profileType.name}.${time}.pb.gz`.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}
