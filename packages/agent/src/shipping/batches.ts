import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { encodeWriteRequest, type WriteAgent, type WriteCounter, writeRequestLimits } from '@everflame/protocols/write';
import type { OutgoingProfile } from './shipper.ts';

export interface BatchLimits {
  /** A batch that would be larger compressed is split, down to single profiles. */
  readonly maxBatchBytes: number;
  /** Before compression: keeps what is compressed at once, and what the server unpacks, small. */
  readonly maxRawBytes: number;
}

export const defaultBatchLimits: BatchLimits = { maxBatchBytes: 4 * 1024 * 1024, maxRawBytes: 16 * 1024 * 1024 };

/** What every batch of an interval says beside its profiles. */
export interface BatchHead {
  readonly agent: WriteAgent;
  readonly counters: readonly WriteCounter[];
}

const compress = promisify(zstdCompress);

/**
 * Packs profiles, in order, into batches within the limits (halving what compresses badly). Each is a zstd frame with one WriteRequest and has
 * its own random id. A single profile beyond the limits is a batch of its own.
 */
export async function* makeBatches(
  profiles: readonly OutgoingProfile[],
  head: BatchHead,
  limits: BatchLimits,
): AsyncGenerator<Uint8Array> {
  let part: OutgoingProfile[] = [];
  let rawBytes = 0;
  for (const profile of profiles) {
    const isFull = rawBytes + profile.pprof.length > limits.maxRawBytes || part.length >= writeRequestLimits.profiles;
    if (isFull && part.length > 0) {
      yield* compressed(part, head, limits);
      part = [];
      rawBytes = 0;
    }
    part.push(profile);
    rawBytes += profile.pprof.length;
  }
  if (part.length > 0) yield* compressed(part, head, limits);
}

async function* compressed(
  part: readonly OutgoingProfile[],
  head: BatchHead,
  limits: BatchLimits,
): AsyncGenerator<Uint8Array> {
  const bytes = await compress(encodeWriteRequest({ ...head, batchId: randomBytes(16), profiles: part }));
  if (bytes.length <= limits.maxBatchBytes || part.length === 1) {
    yield bytes;
    return;
  }
  const middle = Math.ceil(part.length / 2);
  yield* compressed(part.slice(0, middle), head, limits);
  yield* compressed(part.slice(middle), head, limits);
}
