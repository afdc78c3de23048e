import { discard, type StringPool } from '@everflame/profile';
import { decodeWriteRequest, WireFormatError, type WriteRequest } from '@everflame/protocols/write';
import { Refused } from '../problem.ts';
import type { Batch } from '../storage/storage.ts';
import { decompress } from './decompress.ts';
import type { IngestJob } from './ingest-messages.ts';
import { readEntry, type ReadProfile } from './read-entry.ts';

/** A batch may unpack to this many bytes at least, however small a profile must be. */
const leastBatchBytes = 64 * 1024 * 1024;

/**
 * Frames of the stacks in one request, those that stacks share once. 66 kB of gzip can say sixty million, which are 2 GB and minutes; the
 * largest profile of the load generator, 20,000 stacks of 25 frames, has less than half a million.
 */
const maxStackNodes = 2_000_000;

/** Besides these: frames of samples in one request that do not become a tree. The standard profile of the load generator has 15,000. */
const maxPathFrames = 500_000;

/** A batch that is fit to be stored, and what of it the answer mentions. */
export interface ReadJob {
  readonly batch: Batch<ReadProfile>;
  readonly timeIsArrival: boolean;
}

/**
 * Unpacks, decodes and checks what was posted: whole or not at all. `pool`: strings of profiles read before.
 *
 * @throws Refused
 */
export async function readJob(
  job: Exclude<IngestJob, { kind: 'mark' }>,
  maxProfileBytes: number,
  pool: StringPool,
): Promise<ReadJob> {
  const isBatch = job.kind === 'write';
  const bytes = await decompress(job.body, isBatch ? Math.max(maxProfileBytes, leastBatchBytes) : maxProfileBytes);
  const { nowMs } = job;
  if (job.kind === 'profile') {
    if (bytes.length === 0) {
      throw new Refused(
        400,
        'empty_body',
        'the body is empty: send a pprof profile, gzipped, zstd-compressed or plain',
        'body',
      );
    }
    const limits = { maxProfileBytes, maxStackNodes, maxPathFrames };
    const entry = readEntry({ labels: job.labels, pprof: bytes, nowMs, path: '', ...limits, pool });
    if (bytes !== job.body) discard(bytes);
    return {
      batch: { batchId: null, entries: [entry], agent: null, receivedMs: nowMs },
      timeIsArrival: entry.profile.timeNanos === BigInt(Math.trunc(nowMs)) * 1_000_000n,
    };
  }
  const request = readWriteRequest(bytes);
  let nodesLeft = maxStackNodes;
  let framesLeft = maxPathFrames;
  const entries = request.profiles.map(({ labels, pprof }, i) => {
    const limits = { maxProfileBytes, maxStackNodes: nodesLeft, maxPathFrames: framesLeft };
    const entry = readEntry({ labels, pprof, nowMs, path: `profiles[${i}].`, ...limits, pool });
    if ('paths' in entry.profile) framesLeft -= entry.profile.paths.location.length;
    else nodesLeft -= entry.profile.stacks.length - 1;
    return entry;
  });
  const { agent } = request;
  const batchId = request.batchId.slice();
  if (bytes !== job.body) discard(bytes);
  return {
    batch: {
      batchId,
      entries,
      receivedMs: nowMs,
      agent: {
        id: agent.id,
        hostName: agent.hostName,
        version: agent.version,
        kernel: agent.kernel,
        architecture: agent.architecture,
        startedMs: Number(agent.startedUnixNanos / 1_000_000n),
        lastSeenMs: nowMs,
        counters: request.counters.map(({ name, cause, total }) => ({ name, cause, total: String(total) })),
      },
    },
    timeIsArrival: false,
  };
}

function readWriteRequest(bytes: Uint8Array): WriteRequest {
  try {
    return decodeWriteRequest(bytes);
  } catch (error) {
    if (!(error instanceof WireFormatError)) throw error;
    const status = error.code === 'too_large' ? 413 : 400;
    throw new Refused(status, `write_${error.code}`, error.message, error.field === '' ? 'body' : error.field);
  }
}
