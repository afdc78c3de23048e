import { expect, test } from 'vitest';
import { LossCounters } from '../health/counters.ts';
import { SymbolClient } from './symbol-client.ts';

test('a worker that dies is replaced: what it was asked is answered with nothing, the next question in full', async () => {
  const losses = new LossCounters();
  let lost = 0;
  const client = new SymbolClient(
    { moduleBudget: 1 << 20, jitBudget: 1 << 20, debugBudget: 1024 },
    losses,
    () => undefined,
    () => lost++,
  );
  const deadly = client.request({
    kind: 'load',
    key: 'x',
    content: { image: undefined as unknown as Uint8Array },
    expectedBuildId: '',
  });
  const waiting = client.request({ kind: 'statistics' });
  expect(await Promise.all([deadly, waiting])).toEqual([undefined, undefined]);
  expect(await client.request({ kind: 'statistics' })).toMatchObject({ modules: 0 });
  expect(lost).toBe(1);
  expect(losses.rows().find(({ cause }) => cause === 'symbol_worker')?.total).toBe(1);
  await client.close();
  expect(await client.request({ kind: 'statistics' })).toBeUndefined();
});

test('a worker that is asked nothing for a while is ended, which is no loss, and the next question starts one', async () => {
  const losses = new LossCounters();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const options = { moduleBudget: 1 << 20, jitBudget: 1 << 20, debugBudget: 1024 };
  const client = new SymbolClient(options, losses, () => undefined, resolve, 20);
  expect(await client.request({ kind: 'statistics' })).toMatchObject({ modules: 0 });
  // Whoever waits keeps the process alive, an idle worker does not.
  const keepAlive = setInterval(() => undefined, 1000);
  await ended;
  clearInterval(keepAlive);
  expect(client.isStarted).toBe(false);
  expect(await client.request({ kind: 'statistics' })).toMatchObject({ modules: 0 });
  expect(losses.rows().filter(({ total }) => total > 0)).toEqual([]);
  await client.close();
});
