// The server is away for a minute, restarts, answers 500, 429 and 503 and loses answers on the way; the agent is killed
// meanwhile. Nothing that the agent had queued is lost or doubled, and it arrives in order.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import { decodeWriteRequest, type http } from '@everflame/protocols';
import { createServer, type Server } from '@everflame/server';
import { afterEach, expect, test } from 'vitest';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { numberOf, periodNs, samplesOf } from '../support/numbered-profile.ts';
import { type NumberedAgent, startNumberedAgent } from '../support/start-numbered-agent.ts';

const outageMs = 60_000;
const intervalMs = 500;

const folder = mkdtempSync(path.join(tmpdir(), 'everflame-outage-'));
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

function startAgent(server: URL, baseMs: number, first: number): NumberedAgent {
  const agent = startNumberedAgent({ server, dataDir: path.join(folder, 'agent'), baseMs, first, intervalMs });
  closers.push(() => agent.kill('SIGKILL'));
  return agent;
}

async function startServer(): Promise<{ server: Server; close: () => Promise<void> }> {
  const server = await createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir: path.join(folder, 'server') });
  let isOpen = true;
  const close = async () => {
    if (isOpen) await server.close();
    isOpen = false;
  };
  closers.push(close);
  return { server, close };
}

async function ask<T>(server: Server, route: string, parameters: Record<string, string>): Promise<T> {
  const response = await fetch(`${server.url}/api/v1/${route}?${new URLSearchParams(parameters).toString()}`);
  if (!response.ok) throw new Error(`${route} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

test('an outage of 60 s, lost answers and a killed agent cost nothing, double nothing and keep the order', async () => {
  // Whole seconds an hour ago: number n is the profile of second n.
  const baseMs = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
  const before = await startServer();
  const proxy = await startFaultyProxy(new URL(before.server.url));
  closers.push(() => proxy.down());
  const numbers = (body: Buffer) =>
    decodeWriteRequest(zstdDecompressSync(body)).profiles.map((profile) => numberOf(profile.pprof, baseMs));
  const passed = () => proxy.requests.filter((request) => request.answer === 202);

  const first = startAgent(proxy.url, baseMs, 0);
  await proxy.until(() => passed().length >= 5);
  proxy.faults.push('cut-before', { status: 500 }, 'cut-after');
  await proxy.until(() => passed().length >= 12);

  await proxy.down();
  await before.close();
  const outageBegan = performance.now();
  await sleep(outageMs / 3);
  await first.kill('SIGKILL');
  // The profile after the last one that it spoke of may be on disk or not: its number is not given again.
  const second = startAgent(proxy.url, baseMs, (first.queued.at(-1) ?? 0) + 2);
  await sleep(outageMs - (performance.now() - outageBegan));
  const passedBefore = passed().length;
  expect(second.queued.length).toBeGreaterThan(20);

  const after = await startServer();
  proxy.setTarget(new URL(after.server.url));
  proxy.faults.push({ status: 500 }, { status: 429, headers: { 'retry-after': '1' } }, 'cut-after', { status: 503 });
  await proxy.up();
  // By itself, within its longest wait.
  await proxy.until(() => proxy.faults.length === 0 && passed().length >= passedBefore + first.queued.length);
  expect(await second.kill('SIGTERM')).toBe(0);

  const queued = [...first.queued, ...second.queued];
  const arrived = passed().flatMap((request) => numbers(request.body));
  const firstArrivals = [...new Set(arrived)];
  expect(firstArrivals).toEqual(firstArrivals.toSorted((a, b) => a - b));
  expect(queued.filter((number) => !firstArrivals.includes(number))).toEqual([]);
  // At most the one profile that was being queued when its agent was killed.
  expect(firstArrivals.filter((number) => !queued.includes(number)).length).toBeLessThanOrEqual(1);
  // The two lost answers made the agent repeat what was stored.
  expect(arrived.length - firstArrivals.length).toBe(2);

  // What the server has: each second as many samples as its one profile, so nothing was stored twice.
  const range = { from: String(baseMs), until: String(baseMs + (Math.max(...queued) + 1) * 1000), step: '1s' };
  const query = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="numbered"}';
  const stored = await ask<http.QueryRangeAnswer>(after.server, 'query_range', { query, ...range });
  expect(stored.series.length).toBe(1);
  const { times = [], values = [] } = stored.series[0] ?? {};
  const expected = firstArrivals.map((number) => [baseMs + number * 1000, String(samplesOf(number) * periodNs)]);
  expect(times.map((time, index) => [time, values[index]])).toEqual(expected);

  // One agent through all of it, and it knows of no loss but, perhaps, the file that it was writing when it was killed.
  const { agents } = await ask<http.StatusAnswer>(after.server, 'status', {});
  expect(agents.map((agent) => agent.hostName)).toEqual(['numbered-host']);
  const losses = agents[0]?.counters.filter((row) => row.total !== '0') ?? [];
  expect(losses.filter((row) => row.cause !== 'queue_damaged' || row.total !== '1')).toEqual([]);
  expect(agents[0]?.counters.length).toBeGreaterThan(0);
}, 240_000);
