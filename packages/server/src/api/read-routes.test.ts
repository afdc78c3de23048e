import type { AddressInfo } from 'node:net';
import { TREE_MEDIA_TYPE } from '@everflame/profile';
import fastify from 'fastify';
import { afterEach, expect, test } from 'vitest';
import type { Queries } from '../query/queries.ts';
import type { Question, Reply } from '../query/query-messages.ts';
import { addReadRoutes } from './read-routes.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Asked {
  readonly question: Question;
  readonly signal: AbortSignal;
  readonly answer: (reply: Reply) => void;
}

/** A server whose questions are answered by the test. */
async function listen(): Promise<{ readonly url: string; readonly next: () => Promise<Asked> }> {
  const waiting: ((asked: Asked) => void)[] = [];
  const queries = {
    ask: (question: Question, signal: AbortSignal) =>
      new Promise<Reply>((answer) => waiting.shift()?.({ question, signal, answer })),
  };
  const app = fastify();
  addReadRoutes(app, queries as unknown as Queries);
  await app.listen({ host: '127.0.0.1', port: 0 });
  closers.push(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/api/v1`, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

const reply: Reply = { contentType: 'text/plain', body: new TextEncoder().encode('answer') };

test('a client that goes away aborts its question, one that gets its answer does not', async () => {
  const { url, next } = await listen();
  const leaving = new AbortController();
  const first = next();
  const left = fetch(`${url}/top`, { signal: leaving.signal });
  const asked = await first;
  expect(asked.signal.aborted).toBe(false);
  const aborted = new Promise((resolve) => asked.signal.addEventListener('abort', resolve));
  leaving.abort();
  await expect(left).rejects.toThrow('aborted');
  await aborted;
  asked.answer(reply);

  const second = next();
  const stayed = fetch(`${url}/top`, { headers: { connection: 'close' } });
  const answered = await second;
  answered.answer(reply);
  expect(await (await stayed).text()).toBe('answer');
  expect(answered.signal.aborted).toBe(false);
});

test('columns are for clients that name their media type', async () => {
  const { url, next } = await listen();
  const kindFor = async (path: string, accept: string) => {
    const asking = next();
    const response = fetch(`${url}/${path}`, { headers: { accept } });
    const { question, answer } = await asking;
    answer(reply);
    return `${question.kind}, vary ${(await response).headers.get('vary')}`;
  };
  expect(await kindFor('flamegraph', '*/*')).toBe('flamegraph, vary accept');
  expect(await kindFor('flamegraph', `text/html, ${TREE_MEDIA_TYPE};q=0.9`)).toBe('flamegraph_file, vary accept');
  expect(await kindFor('top', TREE_MEDIA_TYPE)).toBe('top, vary null');
});
