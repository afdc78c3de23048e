import { Worker } from 'node:worker_threads';
import { Refused } from '../problem.ts';
import type { IngestJob, IngestReply, IngestRequest, IngestWorkerData, Stored } from './ingest-messages.ts';

export interface IngestLimits {
  /** A body may unpack to this many bytes. */
  readonly maxProfileBytes: number;
  /** Bodies that wait for the writer, in bytes; above it 429. */
  readonly maxQueuedBytes: number;
}

interface Waiting {
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: Error) => void;
  readonly bytes: number;
}

/** The way in: hands what is posted to the writer's thread and waits until it is durable. */
export class Ingest {
  readonly #worker: Worker;
  readonly #limits: IngestLimits;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #queuedBytes = 0;
  #closed: (() => void) | null = null;
  #failure: Error | null = null;

  private constructor(worker: Worker, limits: IngestLimits) {
    this.#worker = worker;
    this.#limits = limits;
  }

  /**
   * Starts the writer's thread and waits until its store is open.
   *
   * @throws Refused when the store cannot be opened
   */
  static async start(dataDir: string, limits: IngestLimits): Promise<Ingest> {
    const workerData: IngestWorkerData = { dataDir, maxProfileBytes: limits.maxProfileBytes };
    const worker = new Worker(new URL('ingest-worker.ts', import.meta.url), { workerData, name: 'ingest' });
    const ingest = new Ingest(worker, limits);
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (reply: IngestReply) => {
        if (reply.kind === 'ready') resolve();
        else if (reply.kind === 'failed') {
          reject(new Refused(reply.problem.status, reply.problem.code, reply.problem.detail));
        } else ingest.#receive(reply);
      });
      worker.on('error', (error) => {
        reject(error);
        ingest.#fail(error);
      });
      worker.on('exit', () => ingest.#fail(new Error('the writer thread has ended')));
    });
    return ingest;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** False once the writer's thread has died: nothing can be stored until the server is started again. */
  get isAlive(): boolean {
    return this.#failure === null;
  }

  /**
   * Resolves once the job is durable.
   *
   * @throws Refused 4xx what is wrong with the job, 429 too much is waiting, 503 the disk refuses
   */
  run(job: IngestJob): Promise<Stored> {
    const bytes = job.kind === 'mark' ? 0 : job.body.length;
    if (this.#failure !== null) {
      return Promise.reject(new Refused(503, 'writer_stopped', 'the writer has stopped: start the server again'));
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
    if (this.#failure !== null) return;
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#post({ kind: 'close' });
    });
    await this.#worker.terminate();
  }

  #post(request: IngestRequest): void {
    this.#worker.postMessage(request, []);
  }

  #receive(reply: Exclude<IngestReply, { kind: 'ready' | 'failed' }>): void {
    if (reply.kind === 'closed') {
      this.#closed?.();
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    this.#queuedBytes -= waiting.bytes;
    if (reply.kind === 'stored') waiting.resolve(reply.stored);
    else {
      const { status, code, detail, field } = reply.problem;
      waiting.reject(new Refused(status, code, detail, field));
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#closed?.();
    for (const { reject } of this.#waiting.values()) {
      reject(new Refused(503, 'writer_stopped', 'the writer stopped before this was stored: send it again'));
    }
    this.#waiting.clear();
    this.#queuedBytes = 0;
  }
}
