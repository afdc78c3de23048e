import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startBudget } from './budget.ts';
import { Queries } from './queries.ts';
import type { Question } from './query-messages.ts';

// A reader's thread that answers with the number of the execution, after as many milliseconds as it is asked for, and looks
// every millisecond whether it is cancelled.
const script = `
import { parentPort } from 'node:worker_threads';
let executions = 0;
parentPort.on('message', (request) => {
  if ('kind' in request) return parentPort.close();
  const until = performance.now() + Number(request.question.parameters.wait);
  const execution = ++executions;
  while (performance.now() < until) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    if (Atomics.load(request.cancelled, 0) === 0) continue;
    const problem = { status: 499, code: 'client_gone', detail: 'execution ' + execution };
    return parentPort.postMessage({ kind: 'refused', id: request.id, problem });
  }
  const body = new TextEncoder().encode(String(execution));
  parentPort.postMessage({ kind: 'answer', id: request.id, reply: { contentType: 'text/plain', body } });
});
parentPort.postMessage({ kind: 'ready' });
`;
const workerUrl = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
const opened: Queries[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((queries) => queries.close()));
});

function start(maxWaiting = 10, idleMs = 60_000, maxWorkers = 1): Queries {
  const queries = new Queries({ dataDir: '', workerUrl, maxWorkers, maxWaiting, idleMs });
  opened.push(queries);
  return queries;
}

const ended = { from: '1', until: '2' };
const question = (wait: number, more: Record<string, string> = ended, nowMs = 0): Question => ({
  kind: 'top',
  parameters: { wait: String(wait), ...more },
  nowMs,
});
const signal = () => new AbortController().signal;

async function answers(asked: readonly Promise<{ body: Uint8Array }>[]): Promise<string[]> {
  return (await Promise.all(asked)).map(({ body }) => new TextDecoder().decode(body));
}

test('identical questions in flight share one execution, others and later ones do not', async () => {
  const queries = start();
  const same = [1, 2, 3].map(() => queries.ask(question(30), signal()));
  const other = queries.ask(question(1, { ...ended, query: '{a="b"}' }), signal());
  expect(await answers([...same, other])).toEqual(['1', '1', '1', '2']);
  expect(await answers([queries.ask(question(1), signal())])).toEqual(['3']);
});

test('questions of all services are asked of one thread, one after the other; those of a service of another one meanwhile', async () => {
  const queries = start(20, 60_000, 2);
  const ask = (more: Record<string, string>, kind = 'top') =>
    queries.ask({ kind, parameters: { wait: '50', ...ended, ...more }, nowMs: 0 });
  const wide = [
    ask({}),
    ask({ query: 'cpu{host_name="a"}' }),
    ask({ query: '{service_name=~"a|b"}' }),
    ask({ before_query: '{service_name="a"}', after_query: '{}' }, 'diff'),
  ];
  const others = [
    ask({ query: 'cpu{service_name="a"}' }),
    ask({}, 'labels'),
    ask({ query: '{' }),
    ask({ service: 'a' }, 'compare'),
  ];
  expect([await answers(wide), await answers(others)]).toEqual([
    ['1', '2', '3', '4'],
    ['1', '2', '3', '4'],
  ]);
});

test('questions about now are the same for a second', async () => {
  const queries = start();
  const at = (nowMs: number) => queries.ask(question(20, { from: 'now-1h', until: 'now' }, nowMs), signal());
  expect(await answers([at(0), at(999), at(1000)])).toEqual(['1', '1', '2']);
  const open = (nowMs: number) => queries.ask(question(20, {}, nowMs), signal());
  expect(await answers([open(0), open(2000)])).toEqual(['3', '4']);
});

test('a question without a signal is executed for itself', async () => {
  const queries = start();
  expect(await answers([queries.ask(question(20), signal()), queries.ask(question(20))])).toEqual(['1', '2']);
});

test('an execution stops when the last one who waits has gone, and is not joined any more', async () => {
  const queries = start();
  const [first, second] = [new AbortController(), new AbortController()];
  const asked = [first, second].map((controller) => queries.ask(question(60_000), controller.signal));
  const outcomes = Promise.allSettled(asked);
  first.abort();
  const third = new AbortController();
  const joined = Promise.allSettled([queries.ask(question(60_000), third.signal)]);
  second.abort();
  third.abort();
  const refused = expect.objectContaining({ status: 'rejected' });
  expect(await outcomes).toEqual([refused, refused]);
  expect(await joined).toEqual([refused]);
  expect(await answers([queries.ask(question(1), signal())])).toEqual(['2']);
});

test('above the bound a new question is refused, one that is in flight is not', async () => {
  const queries = start(1);
  const first = queries.ask(question(50), signal());
  await expect(queries.ask(question(1), signal())).rejects.toMatchObject({ problem: { status: 429 } });
  expect(await answers([first, queries.ask(question(50), signal())])).toEqual(['1', '1']);
});

test('a budget names itself when it is used up', () => {
  const mine = new Int32Array(new SharedArrayBuffer(4));
  const check = startBudget({ timeMs: 60_000, memoryMb: 100_000 }, mine);
  check();
  Atomics.store(mine, 0, 1);
  expect(check).toThrow(expect.objectContaining({ problem: expect.objectContaining({ code: 'client_gone' }) }));
  const problem = (limits: { timeMs: number; memoryMb: number }) => {
    try {
      startBudget(limits, null)();
      return 'answered';
    } catch (error) {
      return error;
    }
  };
  expect(problem({ timeMs: -1, memoryMb: 100_000 })).toMatchObject({
    problem: { status: 422, code: 'query_too_long', detail: expect.stringContaining('-0.001 s') },
  });
  expect(problem({ timeMs: 60_000, memoryMb: 0 })).toMatchObject({
    problem: { status: 422, code: 'query_too_large', detail: expect.stringContaining('0 MB') },
  });
});

test('a thread that nobody asks ends, and the next question starts another', async () => {
  const queries = start(10, 100);
  expect(await answers([queries.ask(question(1), signal())])).toEqual(['1']);
  expect(await answers([queries.ask(question(1), signal())])).toEqual(['2']);
  await sleep(400);
  expect(await answers([queries.ask(question(1), signal())])).toEqual(['1']);
});
