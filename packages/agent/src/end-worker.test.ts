import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { endWorker } from './end-worker.ts';

function start(work: string): Worker {
  const code = `const { parentPort } = require('node:worker_threads'); const { zstdCompressSync } = require('node:zlib');
    parentPort.on('message', (message) => { if (message === 'end') process.exit(7); else { ${work} } });
    parentPort.postMessage('ready');`;
  return new Worker(code, { eval: true });
}

test('a worker that compresses is ended between two of its steps', async () => {
  const steps = `zstdCompressSync(Buffer.alloc(500)); setImmediate(() => parentPort.emit('message', ''));`;
  for (let i = 0; i < 20; i++) {
    const worker = start(steps);
    await once(worker, 'message');
    worker.postMessage('', []);
    const exited = once(worker, 'exit');
    await endWorker(worker);
    expect(await exited).toEqual([7]);
  }
});

test('one that does not come to an end, or has ended already, is not waited for', async () => {
  const worker = start('for (;;);');
  await once(worker, 'message');
  worker.postMessage('', []);
  const exited = once(worker, 'exit');
  await endWorker(worker);
  expect(await exited).toEqual([1]);
  await endWorker(worker);
});
