import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@everflame/compare/testing';
import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import { http } from '@everflame/protocols';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createServer, type Server } from '../server.ts';

const minuteMs = 60_000;
const periodNs = 10_000_000n;
let dataDir = '';
let server: Server | undefined;
let logged: string[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'everflame-findings-'));
  logged = [];
});
afterEach(async () => {
  await server?.close();
  rmSync(dataDir, { recursive: true });
});

async function start(more: object = {}): Promise<Server> {
  server = await createServer({
    listen: { host: '127.0.0.1', port: 0 },
    dataDir,
    findingsEveryMs: 200,
    log: (line) => void logged.push(line),
    ...more,
  });
  return server;
}

/** CPU seconds a minute by stack; the minutes and units differ by 3 %. */
type Cost = Readonly<Record<string, number>>;

const usual: Cost = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [`main@main.ts;work${i}@work${i % 8}.ts`, 1.5]),
);

function profileOf(cost: Cost, startMs: number, random: Random): Uint8Array {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: periodNs,
    timeNanos: BigInt(startMs) * 1_000_000n,
    durationNanos: BigInt(minuteMs) * 1_000_000n,
  });
  for (const [path, seconds] of Object.entries(cost)) {
    let stack = 0;
    for (const frame of path.split(';')) {
      const [name = '', file = ''] = frame.split('@');
      stack = builder.stack(stack, builder.location({ lines: [{ function: builder.function({ name, file }) }] }));
    }
    const samples = BigInt(random.poisson(seconds * 100 * Math.exp(0.03 * random.normal())));
    builder.add(stack, builder.labelSet([]), [samples, samples * periodNs]);
  }
  return encodeProfile(builder.build());
}

/** Posts a service on eight hosts, minute by minute; `costAt` is told how long ago the minute is. */
async function run(
  url: string,
  service: string,
  minutes: number,
  at: (ago: number) => { readonly version: string; readonly cost: Cost },
  hosts = 8,
): Promise<void> {
  const random = new Random(11);
  const nowMs = Math.floor(Date.now() / minuteMs) * minuteMs;
  for (let ago = minutes; ago >= 1; ago--) {
    const { version, cost } = at(ago);
    const posts = Array.from({ length: hosts }, async (_, host) => {
      const labels = new URLSearchParams({
        service_name: service,
        service_version: version,
        host_name: `host-${host}`,
      });
      const body = new Uint8Array(profileOf(cost, nowMs - ago * minuteMs, random));
      const response = await fetch(`${url}/api/v1/profiles?${labels.toString()}`, { method: 'POST', body });
      expect(response.status).toBe(202);
    });
    await Promise.all(posts);
  }
}

async function findings(search = ''): Promise<http.FindingsAnswer> {
  const response = await fetch(`${server?.url}/api/v1/findings${search}`);
  const answer: unknown = await response.json();
  expect(response.ok ? [] : [answer, logged]).toEqual([]);
  expect([...Value.Errors(http.FindingsAnswer, answer)]).toEqual([]);
  return answer as http.FindingsAnswer;
}

const slower = { ...usual, 'main@main.ts;work7@work7.ts;parse@parse.ts': 6 };

test('a new version that is slower is found by the server, once, with the function that did it; its webhook is told', async () => {
  const received: http.WebhookEvent[] = [];
  const receiver = createHttpServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push(JSON.parse(body) as http.WebhookEvent);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  const webhook = { url: new URL(`http://127.0.0.1:${port}/`), kind: 'json', secret: null, events: 'all' };
  const { url } = await start({ findingsEveryMs: 0 });
  await run(url, 'shop', 24, (ago) => (ago > 12 ? { version: 'v1', cost: usual } : { version: 'v2', cost: slower }));
  await run(url, 'calm', 24, (ago) => ({ version: ago > 12 ? 'v1' : 'v2', cost: usual }));
  expect(await findings()).toMatchObject({ findings: [], watch: { lastPassAt: null, looks: 0 } });
  await server?.close();
  await start({ webhooks: [webhook], publicUrl: new URL('https://everflame.example/') });
  await vi.waitFor(async () => expect((await findings()).watch.lastPassAt).not.toBeNull(), 30_000);
  const { findings: found, watch } = await findings('?service=shop');
  expect(found.map((one) => [one.function, one.file, one.verdict, one.before, one.after, one.look])).toEqual([
    ['parse', 'parse.ts', 'new', 'v1', 'v2', 1],
  ]);
  expect(found[0]?.stack).toEqual(['main', 'work7', 'parse']);
  expect((await findings('?service=calm&state=all')).findings).toEqual([]);
  expect(watch).toMatchObject({ failed: 0 });
  await vi.waitFor(() => expect(received).toHaveLength(1), 5000);
  expect(received[0]).toMatchObject({ event: 'opened', finding: { function: 'parse' } });
  expect(received[0]?.url).toMatch(/^https:\/\/everflame\.example\/compare\?service=shop&before=v1&after=v2&/);
  // The page that it leads to asks the same question, and gets the same answer.
  const link = new URL(received[0]?.url ?? '');
  const compared = await fetch(`${server?.url}/api/v1/compare${link.search}`);
  const answer = (await compared.json()) as http.CompareAnswer;
  expect(answer.summary.look).toBe(1);
  expect(answer.functions.find(({ name }) => name === 'parse')).toMatchObject({ verdict: 'new' });
  // Passes go on, and find nothing new.
  await vi.waitFor(async () => {
    const again = await findings();
    expect(again.watch.lastPassAt).toBeGreaterThan(watch.lastPassAt ?? 0);
    expect(again.findings).toEqual(found);
  }, 10_000);
  expect(logged).toEqual([]);
  receiver.close();
}, 120_000);

test('a change without a deployment is found on the minute counts; one at a deployment is not found twice', async () => {
  const { url } = await start({ findingsEveryMs: 0 });
  const hot = { ...usual, 'main@main.ts;work3@work3.ts': 3 };
  await run(url, 'drifting', 360, (ago) => ({ version: 'v1', cost: ago > 120 ? usual : hot }), 1);
  const ofDeployed = (ago: number) => (ago > 120 ? { version: 'v1', cost: usual } : { version: 'v2', cost: hot });
  await run(url, 'deployed', 360, ofDeployed, 1);
  await server?.close();
  await start();
  await vi.waitFor(async () => expect((await findings()).watch.lastPassAt).not.toBeNull(), 60_000);
  const found = (await findings('?kind=over_time')).findings;
  expect(found.map((one) => [one.service, one.function, one.verdict, one.before])).toContainEqual([
    'drifting',
    'work3',
    'regressed',
    null,
  ]);
  expect(new Set(found.map(({ service }) => service))).toEqual(new Set(['drifting']));
  const work3 = found.find((one) => one.function === 'work3');
  expect(Math.abs((work3?.at ?? 0) - (Date.now() - 120 * minuteMs))).toBeLessThan(10 * minuteMs);
  // Of one host there is only weak evidence between versions, which is no finding.
  expect((await findings('?kind=deployment')).findings).toEqual([]);
  expect(logged).toEqual([]);
}, 180_000);

test('parameters that are not known are refused in words', async () => {
  await start({ findingsEveryMs: 0 });
  for (const search of ['state=new', 'kind=x', 'limit=0', 'stat=open']) {
    const response = await fetch(`${server?.url}/api/v1/findings?${search}`);
    expect(response.status).toBe(400);
  }
});
