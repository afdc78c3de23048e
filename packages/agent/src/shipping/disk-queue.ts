import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { LossCounters } from '../health/counters.ts';
import { decodeQueueFile, encodeQueueFileHeader, type QueueFile } from './queue-file.ts';

/** One queued batch. */
export interface QueueEntry {
  readonly sequence: number;
  /** Of the file. */
  readonly bytes: number;
}

export interface DiskQueueOptions {
  /** Made if missing. Only one process may have it open: the caller holds the lock of its data directory. */
  readonly directory: string;
  /** When the files together would grow beyond this, the oldest go. */
  readonly maxBytes: number;
  readonly losses: LossCounters;
  readonly log: (line: string) => void;
}

/**
 * A first-in-first-out queue of batches, a file each, that survives `kill -9` and power loss: a batch is written to a
 * temporary file, synced, renamed to its sequence number, and the directory is synced. So a file with a final name is
 * whole unless the disk damaged it, which its checksum tells.
 */
export class DiskQueue {
  readonly #options: DiskQueueOptions;
  /** Oldest first. */
  readonly #entries: QueueEntry[];
  #bytes: number;
  #nextSequence: number;
  #inFlight: QueueEntry | undefined;

  private constructor(options: DiskQueueOptions, entries: QueueEntry[]) {
    this.#options = options;
    this.#entries = entries;
    this.#bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    this.#nextSequence = (entries.at(-1)?.sequence ?? 0) + 1;
  }

  /** Finds what an earlier process left. A batch whose writing was cut off is removed and counted as damaged. */
  static async open(options: DiskQueueOptions): Promise<DiskQueue> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 });
    const entries: QueueEntry[] = [];
    for (const name of await readdir(options.directory)) {
      const file = path.join(options.directory, name);
      if (name.endsWith(temporarySuffix)) {
        options.losses.add('batches_dropped', 'queue_damaged');
        options.log(`queue: ${file} was being written when the agent ended; removed`);
        await unlink(file);
        continue;
      }
      const sequence = sequenceOf(name);
      if (sequence !== undefined) entries.push({ sequence, bytes: (await stat(file)).size });
    }
    entries.sort((a, b) => a.sequence - b.sequence);
    const queue = new DiskQueue(options, entries);
    await queue.#makeRoom(0);
    return queue;
  }

  /** How many batches wait, the one in flight included. */
  get length(): number {
    return this.#entries.length;
  }

  /** Size of the waiting files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The oldest batch. */
  head(): QueueEntry | undefined {
    return this.#entries[0];
  }

  /**
   * Resolves when `payload` is safe on disk. Evicts the oldest batches where that is needed to stay within the bound.
   * Calls must not overlap. Rejects with the error of the file system when it cannot be written.
   */
  async append(payload: Uint8Array, nowMs: number): Promise<void> {
    const header = encodeQueueFileHeader(payload, nowMs);
    const bytes = header.length + payload.length;
    await this.#makeRoom(bytes);
    const entry = { sequence: this.#nextSequence, bytes };
    while (!(await this.#tryWrite(entry, [header, payload]))) {
      // A full disk: the newest is worth more than the oldest.
      if (!(await this.#evictOldest('the disk is full'))) throw new Error('the disk is full');
    }
    this.#nextSequence++;
    this.#entries.push(entry);
    this.#bytes += bytes;
  }

  /** Rejects only for reasons that may pass (out of file descriptors or memory, lost permission). */
  async read(entry: QueueEntry): Promise<QueueFile> {
    try {
      return decodeQueueFile(await readFile(this.#fileOf(entry)));
    } catch (error) {
      if (['ENOENT', 'EIO', 'EBADMSG', 'EUCLEAN'].includes(codeOf(error))) {
        return { kind: 'damaged', reason: `it cannot be read: ${codeOf(error)}` };
      }
      throw error;
    }
  }

  /** Marks the batch that is being sent: it is not evicted, since the server may already have it. */
  setInFlight(entry: QueueEntry | undefined): void {
    this.#inFlight = entry;
  }

  /** Takes a batch out for good. */
  async remove(entry: QueueEntry): Promise<void> {
    const index = this.#entries.indexOf(entry);
    if (index === -1) return;
    this.#entries.splice(index, 1);
    this.#bytes -= entry.bytes;
    try {
      await unlink(this.#fileOf(entry));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      // After a restart it is sent again under the same batch id, and the server drops the repeat.
      this.#options.log(`queue: ${this.#fileOf(entry)} cannot be removed: ${String(error)}`);
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    while (this.#bytes + bytes > this.#options.maxBytes) {
      if (!(await this.#evictOldest(`the queue is full (${this.#options.maxBytes} bytes)`))) return;
    }
  }

  /** False when there is none that may go. */
  async #evictOldest(reason: string): Promise<boolean> {
    const oldest = this.#entries.find((entry) => entry !== this.#inFlight);
    if (oldest === undefined) return false;
    this.#options.losses.add('batches_dropped', 'queue_full');
    this.#options.log(`queue: ${reason}; dropped the oldest batch, ${this.#fileOf(oldest)}`);
    await this.remove(oldest);
    return true;
  }

  /** False when the disk is full. */
  async #tryWrite(entry: QueueEntry, parts: readonly Uint8Array[]): Promise<boolean> {
    try {
      await this.#write(entry, parts);
      return true;
    } catch (error) {
      if (['ENOSPC', 'EDQUOT'].includes(codeOf(error))) return false;
      throw error;
    }
  }

  async #write(entry: QueueEntry, parts: readonly Uint8Array[]): Promise<void> {
    const file = this.#fileOf(entry);
    const temporary = file + temporarySuffix;
    const handle = await open(temporary, 'w', 0o600);
    try {
      // writeFile goes on at the present position until all is written; writev may stop short.
      for (const part of parts) await handle.writeFile(part);
      await handle.sync();
    } catch (error) {
      await handle.close();
      await unlink(temporary);
      throw error;
    }
    await handle.close();
    await rename(temporary, file);
    const directory = await open(this.#options.directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  #fileOf(entry: QueueEntry): string {
    return path.join(this.#options.directory, `${String(entry.sequence).padStart(16, '0')}${suffix}`);
  }
}

const suffix = '.batch';
const temporarySuffix = '.tmp';

function sequenceOf(name: string): number | undefined {
  if (!name.endsWith(suffix)) return undefined;
  const digits = name.slice(0, -suffix.length);
  return /^\d{16}$/.test(digits) ? Number(digits) : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
