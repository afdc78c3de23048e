import {
  checkLabels,
  columnSum,
  decodePooled,
  inferProfileName,
  type Labels,
  type PathProfile,
  type Profile,
  type StringPool,
} from '@everflame/profile';
import { Refused } from '../problem.ts';
import type { Entry } from '../storage/storage.ts';

/** A profile from before this is a clock that was never set. 2000-01-01T00:00:00Z. */
const earliestMs = 946_684_800_000;
const latestAheadMs = 24 * 3_600_000;
const nanosPerMs = 1_000_000n;

/** As it was read: the embedded store takes both. */
export type ReadProfile = Profile | PathProfile;
export type ReadEntry = Entry<ReadProfile>;

export interface EntryInput {
  /** Series labels, with `__name__` when the profile's name is said. */
  readonly labels: Labels;
  /** One uncompressed pprof message. */
  readonly pprof: Uint8Array;
  readonly nowMs: number;
  readonly maxProfileBytes: number;
  /** This and the next: see `DecodeLimits`. */
  readonly maxStackNodes: number;
  readonly maxPathFrames: number;
  /** Strings of profiles read before. */
  readonly pool: StringPool;
  /** Stands before the names of fields, for example `profiles[3].`. */
  readonly path: string;
}

/**
 * Decodes and checks one posted profile. A `time_nanos` of 0 means "not said" and becomes the time of arrival.
 *
 * @throws Refused 400 or 413 with the field and the reason
 */
export function readEntry({ labels, pprof, nowMs, path, maxProfileBytes, pool, ...limits }: EntryInput): ReadEntry {
  const { __name__: named, ...rest } = labels;
  const series = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== ''));
  const checked = checkLabels(series);
  if (!checked.ok) throw new Refused(400, 'bad_label', checked.error.message, `${path}labels.${checked.error.label}`);
  if (named !== undefined && !/^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/.test(named)) {
    const detail = `__name__ is ${JSON.stringify(named.slice(0, 80))}: give an identifier such as process_cpu, or leave it out`;
    throw new Refused(400, 'bad_label', detail, `${path}labels.__name__`);
  }
  if (pprof.length > maxProfileBytes) {
    const detail = `the profile has ${pprof.length} bytes, ${maxProfileBytes} are the most: send a smaller one, or start the server with a greater --max-profile-bytes`;
    throw new Refused(413, 'too_large', detail, `${path}profile`);
  }
  const decoded = decodePooled(pprof, limits, pool);
  if (!decoded.ok) {
    const { code, message, field } = decoded.error;
    throw new Refused(
      code === 'too_large' ? 413 : 400,
      `profile_${code}`,
      message,
      path + (field === '' ? 'profile' : field),
    );
  }
  const profile = withTime(decoded.profile, nowMs, path);
  checkTypes(profile, path);
  checkTotals(profile, path);
  return { name: named ?? inferProfileName(profile), labels: series, profile };
}

function withTime(profile: ReadProfile, nowMs: number, path: string): ReadProfile {
  const { timeNanos } = profile;
  if (timeNanos === 0n) return { ...profile, timeNanos: BigInt(Math.trunc(nowMs)) * nanosPerMs };
  const timeMs = timeNanos / nanosPerMs;
  if (timeMs >= BigInt(earliestMs) && timeMs <= BigInt(Math.trunc(nowMs) + latestAheadMs)) return profile;
  const detail = `time_nanos is ${timeNanos} (${describeTime(timeMs)}): it must lie between 2000 and a day from now; set the clock of the sender, or send 0 for "now"`;
  throw new Refused(400, 'bad_time', detail, `${path}time_nanos`);
}

function describeTime(timeMs: bigint): string {
  const date = new Date(Number(timeMs));
  return Number.isNaN(date.getTime()) ? 'no date' : date.toISOString();
}

/** Questions name a type: values of one without a name could never be asked for. */
function checkTypes({ sampleTypes }: ReadProfile, path: string): void {
  const nameless = sampleTypes.findIndex(({ type }) => type === '');
  if (nameless < 0) return;
  const detail = `sample type ${nameless + 1} of ${sampleTypes.length} has no name: say what its values are, such as cpu or alloc_space`;
  throw new Refused(400, 'no_sample_type_name', detail, `${path}sample_type[${nameless}].type`);
}

/** Sums are answered as int64, so a profile whose own sum is none could never be asked for. */
function checkTotals({ samples, sampleTypes }: ReadProfile, path: string): void {
  const types = sampleTypes.length;
  for (let t = 0; t < types; t++) {
    const sum = columnSum(samples.values, t, types);
    if (sum === BigInt.asIntN(64, sum)) continue;
    const detail = `the values of sample type ${sampleTypes[t]?.type ?? t} sum to ${sum}, which int64 does not hold`;
    throw new Refused(400, 'sum_overflow', detail, `${path}sample.value[${t}]`);
  }
}
