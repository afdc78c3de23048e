import { Worker } from 'node:worker_threads';
import { parseSelector } from '@everflame/profile';
import { type Problem, Refused } from '../problem.ts';
import { type BudgetLimits, defaultBudget } from './budget.ts';
import type { QueryReply, QueryRequest, QueryWorkerData, Question, Reply } from './query-messages.ts';

export interface QueryPoolOptions {
  readonly dataDir: string;
  /** Module of the reader's thread. */
  readonly workerUrl: URL;
  readonly maxWorkers: number;
  /** Questions that wait, all threads together; above it 429. */
  readonly maxWaiting: number;
  /** What one question may use. Default 30 s and 1024 MB. */
  readonly budget?: BudgetLimits;
  /** A thread without a question for so long is ended; the next question starts another. Default ten minutes. */
  readonly idleMs?: number;
}

/** An execution that several may wait for. */
interface Shared {
  readonly reply: Promise<Reply>;
  readonly askedMs: number;
  /** Tells the thread to stop. */
  readonly cancelled: Int32Array<SharedArrayBuffer>;
  /** Who still waits. */
  waiters: number;
}

/** Questions about now that are asked within this time are the same. */
const sameNowMs = 1000;

const defaultIdleMs = 10 * 60_000;

/**
 * Asks the readers' threads. They are started by questions that find all before them busy, and end when nobody asks. What is asked of all services takes the most
 * memory, and leaves most behind for the next such question: all of it is asked of the first thread, one after the other, so that it is there once.
 */
export class Queries {
  readonly #options: QueryPoolOptions;
  readonly #readers: Reader[] = [];
  readonly #shared = new Map<string, Shared>();

  readonly #timer: NodeJS.Timeout;

  constructor(options: QueryPoolOptions) {
    this.#options = options;
    const idleMs = options.idleMs ?? defaultIdleMs;
    this.#timer = setInterval(() => this.#endIdle(idleMs), idleMs / 2).unref();
  }

  /**
   * The same question as one that is being answered gets the same answer: what was stored when that one began. When
   * `signal` says that the one who asked is gone, and nobody else waits for the same, the thread is told to stop. Without
   * a signal an execution is not shared.
   *
   * @throws Refused what the question's answerer throws; 429; 503
   */
  ask(question: Question, signal?: AbortSignal): Promise<Reply> {
    const key = keyOf(question);
    const known = this.#shared.get(key);
    const isSame =
      signal !== undefined &&
      known !== undefined &&
      (!isAboutNow(question) || question.nowMs - known.askedMs < sameNowMs);
    if (isSame) return this.#join(key, known, signal);
    const alive = this.#readers.filter((reader) => reader.isAlive);
    this.#readers.splice(0, this.#readers.length, ...alive);
    const waiting = alive.reduce((sum, reader) => sum + reader.waiting, 0);
    if (waiting >= this.#options.maxWaiting) {
      return Promise.reject(new Refused(429, 'busy', 'too many questions wait: ask again in a second'));
    }
    const isWide = isOfAllServices(question);
    let reader = isWide ? alive[0] : alive.toSorted((a, b) => a.waiting - b.waiting)[0];
    const mayStart = !isWide && alive.length < this.#options.maxWorkers;
    if (reader === undefined || (reader.waiting > 0 && mayStart)) reader = this.#add();
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const shared: Shared = {
      reply: reader.ask(question, isWide, cancelled),
      askedMs: question.nowMs,
      cancelled,
      waiters: 0,
    };
    if (signal === undefined) return shared.reply;
    this.#shared.set(key, shared);
    const forget = () => this.#forget(key, shared);
    shared.reply.then(forget, forget);
    return this.#join(key, shared, signal);
  }

  #join(key: string, shared: Shared, signal: AbortSignal): Promise<Reply> {
    shared.waiters++;
    signal.addEventListener(
      'abort',
      () => {
        if (--shared.waiters > 0) return;
        Atomics.store(shared.cancelled, 0, 1);
        this.#forget(key, shared);
      },
      { once: true },
    );
    return shared.reply;
  }

  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }

  #endIdle(idleMs: number): void {
    const idle = this.#readers.filter((reader) => reader.isIdleFor(idleMs));
    const busy = this.#readers.filter((reader) => !idle.includes(reader));
    this.#readers.splice(0, this.#readers.length, ...busy);
    for (const reader of idle) void reader.close();
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
  isAlive = true;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #lastMs = performance.now();

  constructor({ dataDir, workerUrl, budget = defaultBudget }: QueryPoolOptions) {
    const workerData: QueryWorkerData = { dataDir, budget };
    this.#worker = new Worker(workerUrl, { workerData, name: 'query', resourceLimits });
    this.#worker.on('message', (reply: QueryReply) => {
      if (reply.kind === 'failed') this.#fail(reply.problem);
      else if (reply.kind !== 'ready') this.#receive(reply);
    });
    this.#worker.on('error', (error) => {
      this.#fail('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch : stopped(error.message));
    });
    this.#worker.on('exit', () => this.#fail(stopped('it has ended')));
  }

  isIdleFor(milliseconds: number): boolean {
    return this.#waiting.size === 0 && performance.now() - this.#lastMs >= milliseconds;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  ask(question: Question, isWide: boolean, cancelled: Int32Array<SharedArrayBuffer>): Promise<Reply> {
    const id = this.#nextId++;
    this.#lastMs = performance.now();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post({ id, question, isWide, cancelled });
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
    this.#lastMs = performance.now();
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

function keyOf({ kind, parameters }: Question): string {
  const said = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return JSON.stringify([kind, said.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Questions that read samples of what they select. */
const kindsOfSamples = new Set([
  'binaries',
  'callers',
  'compare',
  'diff',
  'export',
  'flamegraph',
  'flamegraph_file',
  'lines',
  'pprof',
  'top',
]);

/** Whether samples of more than one service may be read. What is no selector is refused by who answers. */
function isOfAllServices({ kind, parameters }: Question): boolean {
  if (!kindsOfSamples.has(kind)) return false;
  const said = ['query', 'before_query', 'after_query'].flatMap((name) => parameters[name] ?? []);
  // Versions are compared by the name of their service alone.
  if (said.length === 0) return (parameters['service'] ?? '') === '';
  return said.some((text) => !isOfOneService(text));
}

function isOfOneService(text: string): boolean {
  const parsed = parseSelector(text);
  if (!parsed.ok) return true;
  return parsed.selector.matchers.some(({ name, operator }) => name === 'service_name' && operator === '=');
}

/** Whether an answer depends on the time of the question. */
function isAboutNow({ parameters }: Question): boolean {
  const times = ['from', 'until', 'before_from', 'before_until', 'after_from', 'after_until'];
  const hasEnds = ['from', 'until'].every((name) => (parameters[name] ?? '') !== '');
  return !hasEnds || times.some((name) => parameters[name]?.includes('now') === true);
}

/** Objects of one thread; the columns of profiles and trees are outside of it. A thread that needs more is ended, the others go on. */
const maxHeapMb = 1024;
/** What is young is collected often: buffers outside of the heap are given back only then. */
const resourceLimits = { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: 16 };
const tooMuch: Problem = {
  status: 422,
  code: 'too_much',
  detail: `the answer needs more than ${maxHeapMb} MB of memory: ask for a shorter range, fewer series, or leave out group_by`,
};

function stopped(reason: string): Problem {
  const detail = `the thread that was answering has stopped (${reason}): ask again`;
  return { status: 503, code: 'reader_stopped', detail };
}
