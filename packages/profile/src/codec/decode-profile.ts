import { type ProfileError, ProfileFailure } from '../profile-error.ts';
import type { PathProfile, Profile } from '../profile.ts';
import type { DecodeLimits } from './decode-limits.ts';
import { ProfileReader } from './profile-reader.ts';
import type { StringPool } from './string-pool.ts';

export type DecodeResult<Read = Profile> =
  | { readonly ok: true; readonly profile: Read }
  | { readonly ok: false; readonly error: ProfileError };

/**
 * Reads one uncompressed pprof `Profile` message (google/pprof, proto/profile.proto).
 *
 * Accepts what `go tool pprof` reads: sparse 64-bit ids, packed and unpacked repeated fields, fields in any order, unknown
 * fields, locations without lines or mapping, samples without locations. Refuses what is truncated, no protobuf, or points
 * at nothing, naming the field; stricter than `go tool pprof` in three things: invalid UTF-8, dangling mapping ids, and a
 * profile without sample types are refused.
 *
 * Never throws, whatever the input; time and memory are proportional to its size.
 */
export function decodeProfile(bytes: Uint8Array, limits: DecodeLimits = {}): DecodeResult {
  return resultOf(() => new ProfileReader(bytes, limits).readTree());
}

/**
 * The same for a reader of many profiles of the same programs, several times as fast. `pool` has the strings of those read before: the profile's `strings` are
 * the pool's, which go on growing, and many of them are not the profile's. Its stacks are a tree only where there are very many (`maxPathFrames`).
 */
export function decodePooled(
  bytes: Uint8Array,
  limits: DecodeLimits,
  pool: StringPool,
): DecodeResult<Profile | PathProfile> {
  return resultOf(() => new ProfileReader(bytes, limits, pool).readPaths());
}

function resultOf<Read>(read: () => Read): DecodeResult<Read> {
  try {
    return { ok: true, profile: read() };
  } catch (error) {
    if (error instanceof ProfileFailure) return { ok: false, error: error.toError() };
    throw error;
  }
}
