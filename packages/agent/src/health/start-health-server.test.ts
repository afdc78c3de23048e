import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { LossCounters, lossCauses } from './counters.ts';
import { type HealthServer, type HealthServerOptions, startHealthServer } from './start-health-server.ts';

const open: HealthServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(more: Partial<HealthServerOptions> = {}): Promise<HealthServer> {
  const listen = { host: '127.0.0.1', port: 0 };
  const server = await startHealthServer({ listen, losses: new LossCounters(), version: '0.1.0', ...more });
  open.push(server);
  return server;
}

async function get(server: HealthServer, path: string, method = 'GET'): Promise<{ status: number; body: string }> {
  const response = await fetch(new URL(path, server.url), { method });
  return { status: response.status, body: await response.text() };
}

/** As `get`, for a target that is no URL. */
async function statusOf(server: HealthServer, target: string): Promise<number | undefined> {
  const request = http.get({ host: server.url.hostname, port: server.url.port, path: target });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return response.statusCode;
}

/** Value of a line of Prometheus' text format. */
function valueOf(metrics: string, name: string): number | undefined {
  const line = metrics.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

test('every loss is a metric by cause, from the first scrape on and at its present value', async () => {
  const losses = new LossCounters();
  const server = await start({ losses });
  const before = (await get(server, '/metrics')).body;
  for (const [name, causes] of Object.entries(lossCauses)) {
    for (const cause of Object.keys(causes)) {
      expect(valueOf(before, `everflame_agent_${name}_total{cause="${cause}"}`)).toBe(0);
    }
  }
  losses.add('samples_lost', 'ring_full', 5);
  await get(server, '/metrics');
  losses.add('samples_lost', 'ring_full', 2);
  const after = (await get(server, '/metrics')).body;
  expect(valueOf(after, 'everflame_agent_samples_lost_total{cause="ring_full"}')).toBe(7);
});

test('queue, samples and own cost are metrics', async () => {
  const status = {
    queuedBatches: 3,
    queuedBytes: 1234,
    maxQueueBytes: 9999,
    sentBatches: 8,
    sentBytes: 4321,
    failedAttempts: 2,
    lastSentMs: 1_800_000_000_500,
    lastFailure: null,
  };
  const server = await start({ shipper: { status: () => status }, sampledTotal: () => 42 });
  const { body } = await get(server, '/metrics');
  const value = (name: string) => valueOf(body, name);
  expect(value('everflame_agent_queue_batches')).toBe(3);
  expect(value('everflame_agent_queue_bytes')).toBe(1234);
  expect(value('everflame_agent_sent_batches_total')).toBe(8);
  expect(value('everflame_agent_send_failures_total')).toBe(2);
  expect(value('everflame_agent_last_sent_timestamp_seconds')).toBe(1_800_000_000.5);
  expect(value('everflame_agent_samples_total')).toBe(42);
  expect(value('everflame_agent_info{version="0.1.0"}')).toBe(1);
  expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
  const rssKb = Number(
    /^VmRSS:\s+(\d+)/m.exec(execFileSync('cat', [`/proc/${process.pid}/status`], { encoding: 'utf8' }))?.[1],
  );
  expect((value('process_resident_memory_bytes') ?? 0) / 1024 / rssKb).toBeCloseTo(1, 0);
  expect(value('process_open_fds')).toBeGreaterThan(3);
  expect(Math.abs((value('process_start_time_seconds') ?? 0) - (Date.now() / 1000 - process.uptime()))).toBeLessThan(5);
});

test('healthy is answered at once, ready when the agent is', async () => {
  let reason: string | undefined = 'the first scan of /proc is running';
  const server = await start({ notReady: () => reason });
  expect(await get(server, '/-/healthy')).toEqual({ status: 200, body: 'healthy\n' });
  expect(await get(server, '/-/ready')).toEqual({ status: 503, body: 'the first scan of /proc is running\n' });
  reason = undefined;
  expect(await get(server, '/-/ready')).toEqual({ status: 200, body: 'ready\n' });
});

test('other paths and methods are answered in words, and odd ones do not stop it', async () => {
  const server = await start();
  expect((await get(server, '/')).status).toBe(404);
  expect((await get(server, '/metrics', 'POST')).status).toBe(405);
  expect(await get(server, '/-/ready?x=1', 'HEAD')).toEqual({ status: 200, body: '' });
  expect(await statusOf(server, '//')).toBe(404);
  expect(await statusOf(server, 'http://[/')).toBe(404);
  expect((await get(server, '/metrics')).status).toBe(200);
});

test('an address that is taken is an error', async () => {
  const server = await start();
  await expect(start({ listen: { host: '127.0.0.1', port: Number(server.url.port) } })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});
