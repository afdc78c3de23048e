import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Profile, decodeProfile, encodeProfile, mergeProfiles } from '@everflame/profile';
import { isZstd, unpackZstd } from '@everflame/server/zstd';
import { CommandFailure } from './failure.ts';

/** Above what any profiler writes; a bomb stops here. */
const maxProfileBytes = 1024 * 2 ** 20;

/** Reads a pprof file, gzip, zstd or plain. */
export function readProfile(path: string): Profile {
  let bytes: Uint8Array;
  try {
    bytes = decompress(readFileSync(path));
  } catch (error) {
    throw new CommandFailure(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const decoded = decodeProfile(bytes);
  if (!decoded.ok) throw new CommandFailure(`${path} is not a profile: ${decoded.error.message}`);
  return decoded.profile;
}

/** Several files as one profile. They must have the same sample types. */
export function readProfiles(paths: readonly string[]): Profile {
  const merged = mergeProfiles(paths.map(readProfile));
  if (!merged.ok) throw new CommandFailure(`${paths.join(', ')} cannot be merged: ${merged.error.message}`);
  return merged.profile;
}

/** Writes a gzipped pprof file, as `go tool pprof` and every other reader of the format expects. */
export function writeProfile(path: string, profile: Profile): void {
  writeFile(path, gzipSync(encodeProfile(profile)));
}

export function writeFile(path: string, content: Uint8Array | string): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new CommandFailure(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function decompress(bytes: Buffer): Uint8Array {
  if (bytes.length >= 2 && bytes.readUInt16BE(0) === 0x1f8b)
    return gunzipSync(bytes, { maxOutputLength: maxProfileBytes });
  return isZstd(bytes) ? unpackZstd(bytes, maxProfileBytes) : bytes;
}

/**
 * Row in `sampleTypes` of the asked type (`cpu`, or `cpu:nanoseconds`); without a name the profile's default, else the last, as
 * `go tool pprof` chooses.
 */
export function sampleTypeIndex(profile: Profile, asked: string | undefined): number {
  const types = profile.sampleTypes;
  const wanted = asked ?? profile.defaultSampleType;
  const found = types.findIndex(({ type, unit }) => type === wanted || `${type}:${unit}` === wanted);
  if (found >= 0) return found;
  if (asked === undefined) return types.length - 1;
  throw new CommandFailure(
    `there is no sample type ${asked}; this profile has ${types.map(({ type }) => type).join(', ')}`,
  );
}
