import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LossCounters } from '../health/counters.ts';
import { createShipper, type DiskShipper, type ShipperOptions } from './create-shipper.ts';
import {
  type RecordingAnswer,
  type RecordingServer,
  startRecordingServer,
} from '../../../../test/support/recording-server.ts';
import type { OutgoingProfile } from './shipper.ts';

let dataDir: string;
let losses: LossCounters;
let lines: string[];
const open: { close(): Promise<void> }[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'everflame-ship-'));
  losses = new LossCounters();
  lines = [];
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  rmSync(dataDir, { recursive: true });
});

async function serve(answers: RecordingAnswer[] = []): Promise<RecordingServer> {
  const server = await startRecordingServer(answers);
  open.push(server);
  return server;
}

async function ship(server: URL, more: Partial<ShipperOptions> = {}): Promise<DiskShipper> {
  const shipper = await createShipper({
    server,
    dataDir,
    hostName: 'host-a',
    version: '0.1.0',
    lossCounters: losses,
    backoff: { baseMs: 5, capMs: 20 },
    log: (line) => void lines.push(line),
    ...more,
  });
  open.push(shipper);
  return shipper;
}

const profile = (name: string, pprof: Uint8Array = Buffer.from(name)): OutgoingProfile => ({
  labels: { __name__: 'process_cpu', service_name: name },
  pprof,
});

/** The services of all accepted profiles, batch by batch. */
const services = (server: RecordingServer) =>
  server.accepted.map((request) => request.profiles.map((each) => each.labels['service_name']).join('+'));

const lost = () =>
  Object.fromEntries(
    losses
      .rows()
      .filter((row) => row.total > 0)
      .map((row) => [row.cause, row.total]),
  );

test('an interval is one batch with labels, profiles, counters and who sends it', async () => {
  const server = await serve();
  losses.add('samples_lost', 'ring_full', 7);
  const shipper = await ship(server.url);
  await shipper.enqueue([profile('api'), profile('db')]);
  await shipper.drain(10_000);
  expect(services(server)).toEqual(['api+db']);
  const [request] = server.accepted;
  expect(request?.agent).toMatchObject({
    hostName: 'host-a',
    version: '0.1.0',
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(request?.counters).toContainEqual({ name: 'samples_lost', cause: 'ring_full', total: 7n });
  expect(Buffer.from(request?.profiles[1]?.pprof ?? []).toString()).toBe('db');
  expect(server.attempts[0]?.path).toBe('/api/v1/write');
  expect(server.attempts[0]?.headers).toMatchObject({
    'content-type': 'application/x-protobuf',
    'content-encoding': 'zstd',
  });
  expect(shipper.status()).toMatchObject({ queuedBatches: 0, queuedBytes: 0, sentBatches: 1, lastFailure: null });
  expect(readdirSync(path.join(dataDir, 'queue'))).toEqual([]);
});

test('an interval without profiles sends nothing', async () => {
  const server = await serve();
  const shipper = await ship(server.url);
  await shipper.enqueue([]);
  await shipper.drain(10_000);
  expect(server.attempts).toEqual([]);
});

test('busy, failing and cut-off answers are retried under the same batch id: nothing lost, nothing doubled, order kept', async () => {
  const answers: RecordingAnswer[] = [{ status: 500 }, { status: 429 }, 'cut', { status: 503 }, { status: 408 }, 'cut'];
  const server = await serve(answers);
  const shipper = await ship(server.url);
  const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
  for (const name of names) await shipper.enqueue([profile(name)]);
  await shipper.drain(10_000);
  expect(services(server)).toEqual(names);
  expect(server.repeats).toBe(2);
  expect(server.attempts.length).toBe(26);
  expect(lost()).toEqual({});
});

test('one connection serves many batches', async () => {
  const server = await serve();
  const shipper = await ship(server.url);
  for (let index = 0; index < 30; index++) await shipper.enqueue([profile(`s${index}`)]);
  await shipper.drain(10_000);
  expect(server.accepted.length).toBe(30);
  expect(server.connections).toBe(1);
});

test('Retry-After is heeded', async () => {
  const server = await serve([{ status: 429, headers: { 'retry-after': '1' } }]);
  const shipper = await ship(server.url);
  const beganMs = performance.now();
  await shipper.enqueue([profile('api')]);
  await server.until(() => server.accepted.length === 1);
  expect(performance.now() - beganMs).toBeGreaterThanOrEqual(1000);
});

test('a batch that the server refuses is dropped, counted and logged with its reason; the next is sent', async () => {
  const body = JSON.stringify({ title: 'Bad Request', detail: 'label "a b" breaks\nthe rules' });
  const server = await serve([{ status: 400, body }]);
  const shipper = await ship(server.url);
  await shipper.enqueue([profile('bad')]);
  await shipper.enqueue([profile('good')]);
  await shipper.drain(10_000);
  expect(services(server)).toEqual(['good']);
  expect(lost()).toEqual({ refused: 1 });
  expect(lines.join('\n')).toContain('refused a batch (400): label "a b" breaks the rules; dropped it');
});

test('a wrong address or a missing permission is waited for, not paid for in data', async () => {
  const server = await serve([{ status: 404 }, { status: 401 }, { status: 403 }]);
  const shipper = await ship(server.url);
  await shipper.enqueue([profile('api')]);
  await shipper.drain(10_000);
  expect(services(server)).toEqual(['api']);
  expect(lost()).toEqual({});
});

test('what was queued while the server was away is sent after a restart of the agent, by the same agent id', async () => {
  const gone = await startRecordingServer();
  await gone.close();
  const first = await ship(gone.url);
  await first.enqueue([profile('one')]);
  await first.enqueue([profile('two')]);
  await vi.waitFor(() => expect(first.status().lastFailure).toMatch(/ECONNREFUSED/), { timeout: 10_000 });
  await first.close();

  const server = await startRecordingServer([], Number(gone.url.port));
  open.push(server);
  const second = await ship(server.url);
  await second.enqueue([profile('three')]);
  await second.drain(10_000);
  expect(services(server)).toEqual(['one', 'two', 'three']);
  expect(new Set(server.accepted.map((request) => request.agent.id)).size).toBe(1);
});

test('a server that never answers is given up on and asked again', async () => {
  const server = await serve(['silence']);
  const shipper = await ship(server.url, { requestTimeoutMs: 100 });
  await shipper.enqueue([profile('api')]);
  await server.until(() => server.accepted.length === 1);
  await shipper.drain(10_000);
  expect(server.attempts.length).toBe(2);
  expect(lines[0]).toContain('no answer within 100 ms');
});

test('drain returns at its deadline while the server is away, and close does not wait for an answer', async () => {
  const server = await serve(['silence']);
  const shipper = await ship(server.url);
  await shipper.enqueue([profile('api')]);
  await server.until(() => server.attempts.length === 1);
  const beganMs = performance.now();
  await shipper.drain(200);
  await shipper.close();
  expect(performance.now() - beganMs).toBeLessThan(2000);
  expect(readdirSync(path.join(dataDir, 'queue')).length).toBe(1);
});

test('a large interval is split into batches below the bound, in order', async () => {
  const server = await serve();
  const shipper = await ship(server.url, { maxBatchBytes: 300_000 });
  // Random bytes do not compress.
  const profiles = Array.from({ length: 10 }, (_, index) => profile(`s${index}`, randomBytes(100_000)));
  await shipper.enqueue([...profiles, profile('big', randomBytes(400_000))]);
  await shipper.drain(10_000);
  expect(services(server).join('+')).toBe('s0+s1+s2+s3+s4+s5+s6+s7+s8+s9+big');
  const sizes = server.attempts.map((attempt) => Number(attempt.headers['content-length']));
  expect(sizes.filter((size) => size > 300_000)).toEqual([expect.closeTo(400_000, -4)]);
  expect(server.accepted.at(-1)?.profiles.length).toBe(1);
  expect(server.accepted.length).toBeLessThanOrEqual(8);
});

test('a full queue keeps the newest and tells the server how many were dropped', async () => {
  const gone = await startRecordingServer();
  await gone.close();
  const first = await ship(gone.url, { maxQueueBytes: 350_000 });
  for (let index = 0; index < 6; index++) await first.enqueue([profile(`s${index}`, randomBytes(100_000))]);
  expect(first.status().queuedBytes).toBeLessThanOrEqual(350_000);
  await first.close();
  expect(lost()).toEqual({ queue_full: 3 });

  const server = await serve();
  const second = await ship(server.url);
  await second.enqueue([profile('new')]);
  await second.drain(10_000);
  // The oldest of the four may be another one that was being sent when its turn to go came.
  const arrived = services(server);
  expect(arrived).toHaveLength(4);
  expect(arrived.slice(1)).toEqual(['s4', 's5', 'new']);
  expect(server.accepted.at(-1)?.counters).toContainEqual({ name: 'batches_dropped', cause: 'queue_full', total: 3n });
});

test('a torn batch is counted and does not stop those after it', async () => {
  const gone = await startRecordingServer();
  await gone.close();
  const first = await ship(gone.url);
  for (const name of ['a', 'b', 'c']) await first.enqueue([profile(name)]);
  await first.close();
  truncateSync(path.join(dataDir, 'queue', '0000000000000002.batch'), 60);
  const server = await serve();
  const second = await ship(server.url);
  await second.drain(10_000);
  expect(services(server)).toEqual(['a', 'c']);
  expect(lost()).toEqual({ queue_damaged: 1 });
});

test('a disk that cannot be written costs the batch, is counted, and the agent goes on', async () => {
  const server = await serve();
  const shipper = await ship(server.url);
  const queue = path.join(dataDir, 'queue');
  rmSync(queue, { recursive: true });
  await shipper.enqueue([profile('lost')]);
  expect(lost()).toEqual({ disk: 1 });
  const { mkdirSync } = await import('node:fs');
  mkdirSync(queue);
  await shipper.enqueue([profile('kept')]);
  await shipper.drain(10_000);
  expect(services(server)).toEqual(['kept']);
});

test('the data directory belongs to one process, and the error names it', async () => {
  const server = await serve();
  const first = await ship(server.url);
  await expect(ship(server.url)).rejects.toMatchObject({
    code: 'data_dir_in_use',
    message: expect.stringContaining(`in use by process ${process.pid} since `),
  });
  await first.close();
  await (await ship(server.url)).close();
});

test('a server under a path is asked under that path, and another scheme is refused', async () => {
  const server = await serve();
  const shipper = await ship(new URL('/profiles/', server.url));
  await shipper.enqueue([profile('api')]);
  await shipper.drain(10_000);
  expect(server.attempts[0]?.path).toBe('/profiles/api/v1/write');
  await expect(ship(new URL('ftp://localhost'))).rejects.toThrow('must begin with http:// or https://');
});
