import { Worker } from 'node:worker_threads';
import { Refused } from '../problem.ts';
import type { IngestJob, IngestReply, IngestRequest, IngestWorkerData, Stored } from './ingest-messages.ts';

export interface IngestLimits {
  /** A body may unpack to this many bytes. */
  readonly maxProfileBytes: number;
  /** Bodies that wait for the writer, in bytes; above it 429. */
  readonly maxQueuedBytes: number;
  /** After so long without a profile what was stored becomes a block. Default a minute. */
  readonly restMs?: number;
}

const defaultRestMs = 60_000;

/** What is young is collected often: the columns of decoded profiles, outside of the heap, are given back only then. */
const resourceLimits = { maxYoungGenerationSizeMb: 6 };

interface Waiting {
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: Error) => void;
  readonly bytes: number;
}

/** The way in: hands what is posted to the writer's thread and waits until it is durable. */
export class Ingest {
  readonly #workerData: IngestWorkerData;
  readonly #limits: IngestLimits;
  readonly #onRest: () => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #nextId = 1;
  #queuedBytes = 0;
  #storedMs = Date.now();
  #isClosing = false;
  #isStarting = false;
  #closed: (() => void) | null = null;

  private constructor(dataDir: string, limits: IngestLimits, onRest: () => void) {
    this.#workerData = {
      dataDir,
      maxProfileBytes: limits.maxProfileBytes,
      restMs: limits.restMs ?? defaultRestMs,
    };
    this.#limits = limits;
    this.#onRest = onRest;
  }

  /**
   * Starts the writer's thread and waits until its store is open. `onRest`: called when nothing has come for a while.
   *
   * @throws Refused when the store cannot be opened
   */
  static async start(dataDir: string, limits: IngestLimits, onRest = (): void => undefined): Promise<Ingest> {
    const ingest = new Ingest(dataDir, limits, onRest);
    await ingest.#startWorker();
    return ingest;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** When something was stored last, or this was made, Unix ms. */
  get storedMs(): number {
    return this.#storedMs;
  }

  /** False while the writer's thread is being started again. */
  get isReady(): boolean {
    return this.#worker !== null;
  }

  /**
   * Resolves once the job is durable.
   *
   * @throws Refused 4xx what is wrong with the job, 429 too much is waiting, 503 the disk refuses
   */
  run(job: IngestJob): Promise<Stored> {
    const bytes = job.kind === 'mark' ? 0 : job.body.length;
    if (this.#worker === null) {
      if (!this.#isClosing) this.#restart();
      return Promise.reject(
        new Refused(503, 'writer_stopped', 'the writer is being started: send it again in a second'),
      );
    }
    if (bytes > 0 && this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.#limits.maxQueuedBytes) {
      return Promise.reject(new Refused(429, 'busy', 'too much waits to be stored: send it again in a second'));
    }
    const id = this.#nextId++;
    this.#queuedBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, bytes });
      this.#post({ id, job });
    });
  }

  /** Stores what waits, then ends the thread. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const worker = this.#worker;
    if (worker === null) return;
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#post({ kind: 'close' });
    });
    await worker.terminate();
  }

  #restart(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    // Why it failed is said by the next job that finds no writer.
    const ended = () => (this.#isStarting = false);
    this.#startWorker().then(ended, ended);
  }

  /** A thread that ends by itself is started again by the next job, so that a bad body stops nobody but its sender. */
  #startWorker(): Promise<void> {
    const url = new URL('ingest-worker.ts', import.meta.url);
    const worker = new Worker(url, { workerData: this.#workerData, name: 'ingest', resourceLimits });
    return new Promise((resolve, reject) => {
      worker.on('message', (reply: IngestReply) => {
        if (reply.kind === 'ready') {
          this.#worker = worker;
          resolve();
        } else if (reply.kind === 'failed') {
          reject(new Refused(reply.problem.status, reply.problem.code, reply.problem.detail));
        } else this.#receive(reply);
      });
      worker.on('error', reject);
      worker.on('exit', () => this.#stopped());
    });
  }

  #post(request: IngestRequest): void {
    this.#worker?.postMessage(request, 'job' in request ? ownedBytes(request.job) : []);
  }

  #receive(reply: Exclude<IngestReply, { kind: 'ready' | 'failed' }>): void {
    if (reply.kind === 'closed') {
      this.#closed?.();
      return;
    }
    if (reply.kind === 'resting') {
      this.#onRest();
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    this.#queuedBytes -= waiting.bytes;
    if (reply.kind === 'stored') {
      this.#storedMs = Date.now();
      waiting.resolve(reply.stored);
    } else {
      const { status, code, detail, field } = reply.problem;
      waiting.reject(new Refused(status, code, detail, field));
    }
  }

  #stopped(): void {
    this.#worker = null;
    this.#closed?.();
    for (const { reject } of this.#waiting.values()) {
      reject(new Refused(503, 'writer_stopped', 'the writer stopped before this was stored: send it again'));
    }
    this.#waiting.clear();
    this.#queuedBytes = 0;
  }
}

/** What is handed over instead of being copied: the bytes of a body that shares them with nothing else. */
function ownedBytes(job: IngestJob): ArrayBuffer[] {
  if (job.kind === 'mark') return [];
  const { buffer, byteLength } = job.body;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
