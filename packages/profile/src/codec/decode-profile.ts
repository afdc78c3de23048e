import { type ProfileError, ProfileFailure } from '../profile-error.ts';
import type { Profile } from '../profile.ts';
import type { DecodeLimits } from './decode-limits.ts';
import { ProfileReader } from './profile-reader.ts';
import type { StringPool } from './string-pool.ts';

export type DecodeResult =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly error: ProfileError };

/**
 * Reads one uncompressed pprof `Profile` message (google/pprof, proto/profile.proto).
 *
 * Accepts what `go tool pprof` reads: sparse 64-bit ids, packed and unpacked repeated fields, fields in any order, unknown
 * fields, locations without lines or mapping, samples without locations. Refuses what is truncated, no protobuf, or points
 * at nothing, naming the field; stricter than `go tool pprof` in three things: invalid UTF-8, dangling mapping ids, and a
 * profile without sample types are refused.
 *
 * `pool`: strings of profiles read before, which makes many profiles of the same programs faster to read.
 *
 * Never throws, whatever the input; time and memory are proportional to its size.
 */
export function decodeProfile(bytes: Uint8Array, limits: DecodeLimits = {}, pool?: StringPool): DecodeResult {
  try {
    return { ok: true, profile: new ProfileReader(bytes, limits, pool).read() };
  } catch (error) {
    if (error instanceof ProfileFailure) return { ok: false, error: error.toError() };
    throw error;
  }
}
