/**
 * The writer's thread: decodes, checks, interns and commits. What arrives while a commit is under way waits in the port and
 * is stored together by the next: one sync of the disk for all of it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { discardProfile, StringPool } from '@everflame/profile';
import { Garbage } from '../garbage.ts';
import { bugOf, type Problem, Refused } from '../problem.ts';
import { EmbeddedWriter } from '../storage/embedded/writer.ts';
import { StorageError } from '../storage/storage.ts';
import type { IngestJob, IngestReply, IngestRequest, IngestWorkerData, Stored } from './ingest-messages.ts';
import { readJob, type ReadJob } from './read-job.ts';

const { dataDir, maxProfileBytes, restMs } = workerData as IngestWorkerData;
/** Bodies decoded before a commit: bounds what is in memory at once, and how long the first of them waits. */
const maxGroupBytes = 8 * 1024 * 1024;

function answer(reply: IngestReply): void {
  parentPort?.postMessage(reply, []);
}

function problemOf(error: unknown): Problem {
  if (error instanceof Refused) return error.problem;
  if (error instanceof StorageError) return { status: 503, code: `storage_${error.code}`, detail: error.message };
  return bugOf(error);
}

class IngestWorker {
  readonly #storage: EmbeddedWriter;
  readonly #pool: StringPool;
  readonly #waiting: { id: number; job: IngestJob }[] = [];
  readonly #garbage = new Garbage();
  #isRunning = false;
  #isClosing = false;
  #restTimer: NodeJS.Timeout;

  constructor(storage: EmbeddedWriter, pool: StringPool) {
    this.#storage = storage;
    this.#pool = pool;
    this.#restTimer = this.#restLater();
  }

  receive(request: IngestRequest): void {
    if ('kind' in request) this.#isClosing = true;
    else this.#waiting.push(request);
    if (this.#isRunning) return;
    this.#isRunning = true;
    // Everything that is in the port already is received before this runs.
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#storeGroup();
      this.#garbage.collectIfMuch();
      // Lets messages in that came meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isRunning = false;
    clearTimeout(this.#restTimer);
    if (!this.#isClosing) {
      this.#restTimer = this.#restLater();
      return;
    }
    await this.#storage.close();
    answer({ kind: 'closed' });
    parentPort?.close();
  }

  #restLater(): NodeJS.Timeout {
    return setTimeout(() => {
      if (this.#isRunning) return;
      // The disk may refuse: then again later.
      if (!this.#storage.rest()) this.#restTimer = this.#restLater();
      this.#pool.clear();
      this.#garbage.collectAtRest();
      answer({ kind: 'resting' });
    }, restMs);
  }

  async #storeGroup(): Promise<void> {
    const group: { id: number; read: ReadJob }[] = [];
    let bytes = 0;
    while (bytes < maxGroupBytes) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      const { id, job } = next;
      try {
        if (job.kind === 'mark') {
          await this.#storage.mark(job.mark);
          answer({ kind: 'stored', id, stored: { profiles: 0, names: [], repeated: false, timeIsArrival: false } });
          continue;
        }
        bytes += job.body.length;
        group.push({ id, read: await readJob(job, maxProfileBytes, this.#pool) });
      } catch (error) {
        answer({ kind: 'refused', id, problem: problemOf(error) });
      }
    }
    if (group.length === 0) return;
    try {
      const results = await this.#storage.append(group.map(({ read }) => read.batch));
      for (const [index, { id, read }] of group.entries()) {
        const stored: Stored = {
          profiles: results[index]?.stored ?? 0,
          names: [...new Set(read.batch.entries.map(({ name }) => name))],
          repeated: results[index]?.repeated ?? false,
          timeIsArrival: read.timeIsArrival,
        };
        answer({ kind: 'stored', id, stored });
      }
    } catch (error) {
      const problem = problemOf(error);
      for (const { id } of group) answer({ kind: 'refused', id, problem });
    }
    for (const { read } of group) for (const { profile } of read.batch.entries) discardProfile(profile);
  }
}

try {
  const pool = new StringPool();
  const worker = new IngestWorker(new EmbeddedWriter(dataDir, Date.now()), pool);
  parentPort?.on('message', (request: IngestRequest) => worker.receive(request));
  answer({ kind: 'ready' });
} catch (error) {
  answer({ kind: 'failed', problem: problemOf(error) });
  parentPort?.close();
}
