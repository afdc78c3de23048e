// Disks that refuse: full ones, read-only ones. What was acknowledged stays, reads go on, and what comes is refused until it can be stored.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { verifyStore } from '@everflame/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const mib = 1024 * 1024;
let disk: SmallDisk;
let dataDir: string;
let server: ServerProcess;
beforeEach(async () => {
  disk = new SmallDisk(32 * mib);
  dataDir = join(disk.path, 'data');
  server = await startServerProcess(dataDir);
});
afterEach(async () => {
  await server.end('SIGKILL');
  await disk.remove();
});

/** One sample of the value 1 in a function of the profile's own, with so many bytes of names that do not compress. */
function profileOf(name: string, bytes: number, timeMs: number): Uint8Array {
  const builder = new ProfileBuilder({
    timeNanos: BigInt(timeMs) * 1_000_000n,
    sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
  });
  const file = Buffer.from(crypto.getRandomValues(new Uint8Array(bytes / 2))).toString('hex');
  const location = builder.location({ lines: [{ function: builder.function({ name, file }) }] });
  builder.add(builder.stack(0, location), 0, [1n]);
  return encodeProfile(builder.build());
}

async function post(name: string, timeMs = Date.now()): Promise<Response> {
  const body = new Uint8Array(profileOf(name, 60_000, timeMs));
  return fetch(`${server.url}/api/v1/profiles?service_name=full`, { method: 'POST', body });
}

async function storedNames(): Promise<string[]> {
  const answer = await getJson<http.TopAnswer>(server.url, '/api/v1/top', { query: '{service_name="full"}' });
  expect(answer.functions.filter(({ self }) => self !== '1')).toEqual([]);
  return answer.functions.map(({ name }) => name).sort();
}

/** Posts until one is refused; answers what was acknowledged. */
async function postUntilRefused(prefix: string): Promise<{ readonly names: string[]; readonly refusal: Response }> {
  const names: string[] = [];
  for (let n = 0; n < 1000; n++) {
    const response = await post(`${prefix}${n}`);
    if (response.status !== 202) return { names, refusal: response };
    names.push(`${prefix}${n}`);
  }
  throw new Error('the disk was never full');
}

async function expectRefusal(response: Response, words: RegExp): Promise<void> {
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('1');
  expect(await response.json()).toMatchObject({
    code: 'storage_unavailable',
    detail: expect.stringMatching(words),
  });
}

const noRoom = /make room on its disk/;

/** What a store must do that cannot write: say so, answer, and come back by itself. */
async function expectRecovery(acknowledged: string[], words: RegExp, mend: () => void): Promise<void> {
  for (let n = 0; n < 5; n++) await expectRefusal(await post(`refused${n}`), words);
  expect(await storedNames()).toEqual(acknowledged.toSorted());
  const status = await getJson<http.StatusAnswer>(server.url, '/api/v1/status');
  expect(status.storage).toMatchObject({ profiles: acknowledged.length, damaged: [] });
  mend();
  await waitFor('a profile to be stored again', async () => ((await post('after')).status === 202 ? true : undefined));
  expect(await storedNames()).toEqual([...acknowledged, 'after'].sort());
}

test('a full disk: 503 with the reason, reads go on, and with room again it stores again', async () => {
  expect((await post('first')).status).toBe(202);
  disk.fill(3 * mib);
  const { names, refusal } = await postUntilRefused('n');
  await expectRefusal(refusal, noRoom);
  expect(names.length).toBeGreaterThan(5);
  await expectRecovery(['first', ...names], noRoom, () => disk.drain());
  await server.end('SIGTERM');
  expect(verifyStore(dataDir)).toMatchObject({ profiles: names.length + 2, problems: [] });
});

test('a server that was killed on a full disk starts on it and answers', async () => {
  disk.fill(3 * mib);
  const { names } = await postUntilRefused('n');
  await server.end('SIGKILL');
  disk.fill();
  server = await startServerProcess(dataDir);
  await expectRecovery(names, noRoom, () => disk.drain());
});

test('on a full disk retention makes the room that it needs by itself', async () => {
  const dayMs = 24 * 3_600_000;
  for (let n = 0; n < 60; n++) expect((await post(`old${n}`, Date.now() - 20 * dayMs)).status).toBe(202);
  await server.end('SIGTERM');
  server = await startServerProcess(dataDir);
  // With the first profile of a new epoch the old one becomes a block.
  expect((await post('new')).status).toBe(202);
  await waitFor('a block', () => (verifyStore(dataDir).blocks > 0 ? true : undefined));
  await server.end('SIGKILL');
  disk.fill();
  expect(disk.freeBytes).toBeLessThan(100_000);
  server = await startServerProcess(dataDir, { retention: { maxAgeMs: 10 * dayMs } });
  await waitFor('a profile to be stored', async () => ((await post('after')).status === 202 ? true : undefined));
  // Until there was room to say it, the file was missing.
  const { storage } = await waitFor('retention to be counted', async () => {
    const answer = await getJson<http.StatusAnswer>(server.url, '/api/v1/status');
    return answer.storage.deleted.length > 0 ? answer : undefined;
  });
  expect(storage).toMatchObject({ profiles: 2, damaged: [], deleted: [{ cause: 'age', profiles: 60 }] });
});

test('files that refuse to be written: 503, reads go on, and it comes back', async () => {
  expect((await post('first')).status).toBe(202);
  const files = ['everflame.db', 'everflame.db-wal'].map((name) => join(dataDir, name));
  execFileSync('chattr', ['+i', ...files]);
  await expectRecovery(
    ['first'],
    /the store in .* cannot be used/,
    () => void execFileSync('chattr', ['-i', ...files]),
  );
});

test('a disk that fails and goes read-only: 503, reads go on, also after a start on it; on a mended one all is there', async () => {
  const { names } = { names: ['a', 'b', 'c'] };
  for (const name of names) expect((await post(name)).status).toBe(202);
  disk.fail();
  const readOnly = /mount its disk for writing|see the log of the kernel/;
  await expectRefusal(await post('refused'), readOnly);
  expect(await storedNames()).toEqual(names);
  await server.end('SIGKILL');
  server = await startServerProcess(dataDir);
  await expectRefusal(await post('refused'), readOnly);
  expect(await storedNames()).toEqual(names);
  await server.end('SIGKILL');
  await disk.unmount();
  disk.mount();
  server = await startServerProcess(dataDir);
  expect(await storedNames()).toEqual(names);
  expect((await post('after')).status).toBe(202);
});
