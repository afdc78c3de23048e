import type { Answers, Asked, Question, Told } from './worker-messages.ts';

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

let worker: Worker | null = null;
let lastId = 0;
const waiting = new Map<number, Waiting>();

/** Starts the worker ahead of the first question, so that it is there when the bytes are. */
export function warmWorker(): void {
  worker ??= start();
}

/**
 * Asks the worker; `transfer` are buffers that the page gives away. Once aborted, the worker is ended when nobody else waits for
 * it, so that a long work stops. Rejects with an Error that has words for the user, or when aborted.
 */
export async function askWorker<K extends Question['kind']>(
  question: Extract<Question, { kind: K }>,
  signal: AbortSignal,
  transfer: ArrayBuffer[] = [],
): Promise<Answers[K]> {
  signal.throwIfAborted();
  worker ??= start();
  const id = ++lastId;
  const asked: Asked = { id, question };
  const answer = new Promise<Answers[K]>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    signal.addEventListener('abort', () => {
      if (!waiting.delete(id)) return;
      if (waiting.size === 0) stop();
      reject(new DOMException('Cancelled', 'AbortError'));
    });
  });
  worker.postMessage(asked, transfer);
  return answer;
}

function start(): Worker {
  const started = new Worker(new URL('./tree-worker.ts', import.meta.url), { type: 'module' });
  started.addEventListener('message', ({ data }: MessageEvent<Told>) => {
    const one = waiting.get(data.id);
    if (one === undefined) return;
    waiting.delete(data.id);
    if (data.ok) one.resolve(data.value as never);
    else one.reject(new Error(data.message));
  });
  started.addEventListener('error', (event) => {
    event.preventDefault();
    const error = new Error(`The page's worker stopped: ${event.message === '' ? 'out of memory?' : event.message}`);
    for (const one of waiting.values()) one.reject(error);
    waiting.clear();
    stop();
  });
  return started;
}

function stop(): void {
  worker?.terminate();
  worker = null;
}
