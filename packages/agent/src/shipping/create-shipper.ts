import path from 'node:path';
import type { LossCounters } from '../health/counters.ts';
import type { QueueStatus } from '../health/metrics.ts';
import { agentIdentity } from './agent-identity.ts';
import { type BackoffOptions, defaultBackoff } from './backoff.ts';
import { defaultBatchLimits, makeBatches } from './batches.ts';
import { lockDataDirectory } from './data-directory-lock.ts';
import { DiskQueue } from './disk-queue.ts';
import { Sender, type SenderTotals } from './sender.ts';
import type { OutgoingProfile, Shipper } from './shipper.ts';
import { WriteClient } from './write-client.ts';

export interface ShipperOptions {
  /** http or https; batches go to `{server}/api/v1/write`. */
  readonly server: URL;
  /** The queue is in `{dataDir}/queue`. One process may use it at a time. */
  readonly dataDir: string;
  readonly hostName: string;
  /** Of the agent. */
  readonly version: string;
  /** Travel with every batch, and count what is lost here. */
  readonly lossCounters: LossCounters;
  /** Bound of the queue on disk; the oldest batches go when it is full. Default 256 MiB. */
  readonly maxQueueBytes?: number;
  /** Larger ones are split. Compressed; default 4 MiB. */
  readonly maxBatchBytes?: number;
  /** Default 30 s. */
  readonly requestTimeoutMs?: number;
  readonly backoff?: BackoffOptions;
  /** Sent with every request, for a proxy before the server. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Uniform in [0, 1), for the jitter. */
  readonly random?: () => number;
  /** Takes one line without its end. Default: stderr. */
  readonly log?: (line: string) => void;
}

export interface ShipperStatus extends SenderTotals, QueueStatus {}

/** The shipper that keeps its queue on disk. */
export interface DiskShipper extends Shipper {
  status(): ShipperStatus;
}

/**
 * Takes over what an earlier run left in the queue and begins to send it.
 *
 * @throws DataDirectoryLockedError when another process uses the data directory
 * @throws TypeError when the server's address is not http or https
 */
export async function createShipper(options: ShipperOptions): Promise<DiskShipper> {
  const client = new WriteClient({
    server: options.server,
    timeoutMs: options.requestTimeoutMs ?? 30_000,
    headers: options.headers ?? {},
  });
  const lock = lockDataDirectory(options.dataDir);
  try {
    return await openShipper(options, client, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openShipper(
  options: ShipperOptions,
  client: WriteClient,
  releaseLock: () => void,
): Promise<DiskShipper> {
  const losses = options.lossCounters;
  const log = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const maxQueueBytes = options.maxQueueBytes ?? 256 * 1024 * 1024;
  const limits = { ...defaultBatchLimits, maxBatchBytes: options.maxBatchBytes ?? defaultBatchLimits.maxBatchBytes };
  const agent = agentIdentity(options.dataDir, options.hostName, options.version);
  const directory = path.join(options.dataDir, 'queue');
  const queue = await DiskQueue.open({ directory, maxBytes: maxQueueBytes, losses, log });
  const sender = new Sender({
    queue,
    client,
    backoff: options.backoff ?? defaultBackoff,
    random: options.random ?? Math.random,
    losses,
    log,
    serverName: options.server.origin,
  });

  const store = async (profiles: readonly OutgoingProfile[]): Promise<void> => {
    const counters = losses.rows().map((row) => ({ ...row, total: BigInt(row.total) }));
    for await (const batch of makeBatches(profiles, { agent, counters }, limits)) {
      try {
        await queue.append(batch, Date.now());
        sender.notify();
      } catch (error) {
        losses.add('batches_dropped', 'disk');
        log(`queue: a batch cannot be written to ${directory}: ${String(error)}; dropped it`);
      }
    }
  };

  // One interval after the other, in the order of the calls.
  let pending: Promise<void> = Promise.resolve();
  let isClosed = false;
  return {
    enqueue(profiles) {
      if (isClosed) throw new Error('enqueue after close');
      const stored = pending.then(() => store(profiles));
      // A failure is the caller's to see, and does not stop the next interval.
      pending = stored.catch(() => undefined);
      return stored;
    },
    async drain(deadlineMs) {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadlineMs);
      });
      await Promise.race([pending.then(() => sender.drained()), deadline]);
      clearTimeout(timer);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await pending;
      await sender.stop();
      client.close();
      releaseLock();
    },
    status: () => ({
      ...sender.totals(),
      queuedBatches: queue.length,
      queuedBytes: queue.bytes,
      maxQueueBytes,
    }),
  };
}
