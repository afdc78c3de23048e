import { Worker } from 'node:worker_threads';
import { type Problem, Refused } from '../problem.ts';
import type { QueryReply, QueryRequest, QueryWorkerData, Question, Reply } from './query-messages.ts';

export interface QueryPoolOptions {
  readonly dataDir: string;
  /** Module of the reader's thread. */
  readonly workerUrl: URL;
  readonly maxWorkers: number;
  /** Questions that wait, all threads together; above it 429. */
  readonly maxWaiting: number;
}

/** Asks the readers' threads. One is started at once, the others when all before them are busy. */
export class Queries {
  readonly #options: QueryPoolOptions;
  readonly #readers: Reader[] = [];

  private constructor(options: QueryPoolOptions) {
    this.#options = options;
  }

  /** @throws Refused when the store cannot be opened */
  static async start(options: QueryPoolOptions): Promise<Queries> {
    const queries = new Queries(options);
    await queries.#add().ready;
    return queries;
  }

  /** @throws Refused what the question's answerer throws; 429; 503 */
  ask(question: Question): Promise<Reply> {
    const alive = this.#readers.filter((reader) => reader.isAlive);
    this.#readers.splice(0, this.#readers.length, ...alive);
    const waiting = alive.reduce((sum, reader) => sum + reader.waiting, 0);
    if (waiting >= this.#options.maxWaiting) {
      return Promise.reject(new Refused(429, 'busy', 'too many questions wait: ask again in a second'));
    }
    let least = alive.toSorted((a, b) => a.waiting - b.waiting)[0];
    if (least === undefined || (least.waiting > 0 && alive.length < this.#options.maxWorkers)) least = this.#add();
    return least.ask(question);
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }

  #add(): Reader {
    const reader = new Reader(this.#options);
    this.#readers.push(reader);
    return reader;
  }
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

class Reader {
  readonly ready: Promise<void>;
  isAlive = true;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  constructor({ dataDir, workerUrl }: QueryPoolOptions) {
    const workerData: QueryWorkerData = { dataDir };
    const resourceLimits = { maxOldGenerationSizeMb: maxHeapMb };
    this.#worker = new Worker(workerUrl, { workerData, name: 'query', resourceLimits });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    // Whoever only asks is told by the answer.
    promise.catch(() => undefined);
    this.#worker.on('message', (reply: QueryReply) => {
      if (reply.kind === 'ready') resolve();
      else if (reply.kind === 'failed') {
        const { status, code, detail } = reply.problem;
        reject(new Refused(status, code, detail));
      } else this.#receive(reply);
    });
    this.#worker.on('error', (error) => {
      reject(error);
      this.#fail('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch : stopped(error.message));
    });
    this.#worker.on('exit', () => this.#fail(stopped('it has ended')));
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  ask(question: Question): Promise<Reply> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post({ id, question });
    });
  }

  async close(): Promise<void> {
    if (!this.isAlive) return;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#post({ kind: 'close' });
    await ended;
  }

  #post(request: QueryRequest): void {
    this.#worker.postMessage(request, []);
  }

  #receive(reply: Extract<QueryReply, { id: number }>): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === 'answer') waiting?.resolve(reply.reply);
    else {
      const { status, code, detail, field } = reply.problem;
      waiting?.reject(new Refused(status, code, detail, field));
    }
  }

  #fail({ status, code, detail }: Problem): void {
    this.isAlive = false;
    for (const { reject } of this.#waiting.values()) reject(new Refused(status, code, detail));
    this.#waiting.clear();
  }
}

/** Objects of one thread; the columns of profiles and trees are outside of it. A thread that needs more is ended, the others go on. */
const maxHeapMb = 1024;
const tooMuch: Problem = {
  status: 422,
  code: 'too_much',
  detail: `the answer needs more than ${maxHeapMb} MB of memory: ask for a shorter range, fewer series, or leave out group_by`,
};

function stopped(reason: string): Problem {
  const detail = `the thread that was answering has stopped (${reason}): ask again`;
  return { status: 503, code: 'reader_stopped', detail };
}
