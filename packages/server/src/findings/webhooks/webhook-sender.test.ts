import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { http } from '@everflame/protocols';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FindingsStore } from '../findings-store.ts';
import { type Webhook, webhookId, type WebhookKind } from './webhook.ts';
import { mostWaiting, WebhookSender } from './webhook-sender.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let dataDir = '';
let store: FindingsStore;
let receiver: Server;
let received: Received[] = [];
/** Statuses of the next answers; when empty 200. */
let answers: number[] = [];
let logged: string[] = [];
const senders: WebhookSender[] = [];

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'everflame-webhooks-'));
  store = new FindingsStore(dataDir);
  [received, answers, logged] = [[], [], []];
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body });
      const status = answers.shift() ?? 200;
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('a body that nobody reads');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
});
afterEach(async () => {
  for (const sender of senders.splice(0)) await sender.close();
  store.close();
  receiver.close();
  rmSync(dataDir, { recursive: true });
});

function webhookOf(more: Partial<Webhook> = {}): Webhook {
  const { port } = receiver.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}/hook/T0KEN`);
  return { url, kind: 'json', secret: null, events: 'regressions', ...more };
}

function start(webhook: Webhook): WebhookSender {
  const log = (line: string): void => void logged.push(line);
  const sender = new WebhookSender({ store, webhook, version: '1.2.3', log, pauses: { firstMs: 1, longestMs: 20 } });
  senders.push(sender);
  return sender;
}

function eventOf(
  id: number,
  more: Partial<http.Finding> = {},
  event: http.WebhookEvent['event'] = 'opened',
): http.WebhookEvent {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5);
  const finding: http.Finding = {
    id,
    kind: 'deployment',
    state: event === 'closed' ? 'closed' : 'open',
    closedReason: event === 'closed' ? 'went_away' : null,
    service: 'shop',
    environment: 'prod',
    before: 'v1',
    after: 'v2',
    function: 'render<Invoice>',
    file: 'invoice.ts',
    verdict: 'regressed',
    change: 0.3,
    openedChange: 0.3,
    interval: [0.2, 0.4],
    part: 0.05,
    q: 0.001,
    samplesBefore: 1000,
    samplesAfter: 1300,
    units: 8,
    stack: ['main', 'render<Invoice>'],
    others: 1,
    look: 2,
    sentence: 'shop v2: render<Invoice> regressed by +30.0 % & more',
    at,
    openedAt: at,
    updatedAt: at,
    closedAt: event === 'closed' ? at + 60_000 : null,
    link: '/compare?service=shop',
    ...more,
  };
  return { version: 1, event, sentAt: at, url: 'http://everflame.example/compare?service=shop', finding };
}

async function send(sender: WebhookSender, ...events: http.WebhookEvent[]): Promise<void> {
  for (const event of events) sender.enqueue(event, Date.now());
  sender.wake();
  await vi.waitFor(() => expect(sender.status().waiting).toBe(0), 5000);
}

test('an event is the documented JSON, signed so that a receiver can tell its sender and its age', async () => {
  await send(start(webhookOf({ secret: 'k3y' })), eventOf(7));
  const { path, headers, body } = received[0] ?? { path: '', headers: {}, body: '' };
  expect(path).toBe('/hook/T0KEN');
  expect([...Value.Errors(http.WebhookEvent, JSON.parse(body))]).toEqual([]);
  const [, seconds = '', signature] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-everflame-signature'])) ?? [];
  expect(signature).toBe(createHmac('sha256', 'k3y').update(`${seconds}.${body}`).digest('hex'));
  expect(Math.abs(Number(seconds) * 1000 - Date.now())).toBeLessThan(10_000);
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'everflame/1.2.3',
    'x-everflame-event': 'opened',
  });
});

test('what fails is sent again, in order, until it is taken', async () => {
  answers = [500, 429, 503, 200];
  const sender = start(webhookOf());
  await send(sender, eventOf(1), eventOf(2));
  expect(received.map(({ body }) => (JSON.parse(body) as http.WebhookEvent).finding.id)).toEqual([1, 1, 1, 1, 2]);
  expect(new Set(received.map(({ headers }) => headers['x-everflame-delivery'])).size).toBe(2);
  expect(sender.status()).toMatchObject({ delivered: 2, failedAttempts: 3, dropped: 0 });
  expect(logged).toHaveLength(1);
});

test('a refusal and a redirect are final and counted; nobody else is asked', async () => {
  answers = [404, 302];
  const sender = start(webhookOf());
  await send(sender, eventOf(1), eventOf(2), eventOf(3));
  expect(received.map(({ path }) => path)).toEqual(['/hook/T0KEN', '/hook/T0KEN', '/hook/T0KEN']);
  expect(sender.status()).toMatchObject({ delivered: 1, dropped: 2 });
});

test('neither address nor key is ever logged or answered', async () => {
  answers = [500, 404];
  const sender = start(webhookOf({ secret: 'k3y' }));
  await send(sender, eventOf(1));
  receiver.close();
  receiver.closeAllConnections();
  sender.enqueue(eventOf(2), Date.now());
  sender.wake();
  await vi.waitFor(() => expect(logged.length).toBeGreaterThanOrEqual(3), 5000);
  expect(logged.at(-1)).toMatch(/^webhook json 127\.0\.0\.1:\d+: no answer \(ECONNREFUSED\); it will be tried again$/);
  expect(JSON.stringify([logged, sender.status()])).not.toMatch(/T0KEN|k3y/);
});

test('what waits outlives a restart', async () => {
  answers = Array.from({ length: 1000 }, () => 503);
  const first = start(webhookOf());
  first.enqueue(eventOf(1), Date.now());
  first.wake();
  await vi.waitFor(() => expect(received.length).toBeGreaterThan(0), 5000);
  await first.close();
  store.close();
  store = new FindingsStore(dataDir);
  answers = [];
  const second = start(webhookOf());
  await vi.waitFor(() => expect(second.status()).toMatchObject({ waiting: 0, delivered: 1 }), 5000);
});

test('the queue is bounded: the oldest go, and are counted', () => {
  const id = webhookId(webhookOf());
  store.transaction(() => {
    for (let i = 0; i < mostWaiting + 5; i++) store.enqueue(id, eventOf(i), 0, mostWaiting);
  });
  expect(store.waiting(id)).toBe(mostWaiting);
  expect(store.firstDelivery(id)?.event.finding.id).toBe(5);
  expect(store.tally(`dropped ${id}`)).toBe(5);
});

/** The body of a kind for events that are opened and closed. */
async function bodiesOf(kind: WebhookKind): Promise<unknown[]> {
  await send(start(webhookOf({ kind })), eventOf(1), eventOf(1, {}, 'closed'));
  return received.map(({ body }): unknown => JSON.parse(body));
}

test('Slack: text with its three characters escaped', async () => {
  const [opened, closed] = (await bodiesOf('slack')) as { text: string; blocks: { text: { text: string } }[] }[];
  expect(opened?.text).toBe(
    ':red_circle: shop v2: render&lt;Invoice&gt; regressed by +30.0 % &amp; more <http://everflame.example/compare?service=shop|open>',
  );
  expect(opened?.blocks[0]?.text.text).toBe(opened?.text);
  expect(closed?.text).toMatch(/^:white_check_mark: .* – went away </);
});

test('Alertmanager: its webhook payload, firing and resolved', async () => {
  const [opened, closed] = await bodiesOf('alertmanager');
  expect(opened).toMatchObject({
    version: '4',
    status: 'firing',
    groupLabels: { alertname: 'EverflameDeployment', service: 'shop' },
    externalURL: 'http://everflame.example',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'EverflameDeployment', severity: 'warning', after: 'v2', function: 'render<Invoice>' },
        startsAt: '2026-01-02T03:04:05.000Z',
        endsAt: '0001-01-01T00:00:00Z',
      },
    ],
  });
  expect(closed).toMatchObject({ status: 'resolved', alerts: [{ endsAt: '2026-01-02T03:05:05.000Z' }] });
});

test('Alertmanager’s own API: alerts with an end', async () => {
  const [opened, closed] = await bodiesOf('alertmanager-api');
  expect(opened).toMatchObject([{ labels: { service: 'shop' }, endsAt: '2026-01-09T03:04:05.000Z' }]);
  expect(closed).toMatchObject([{ endsAt: '2026-01-02T03:05:05.000Z' }]);
});

test('improvements are sent to those who asked for them', () => {
  const improved = eventOf(1, { verdict: 'improved' }).finding;
  expect(start(webhookOf()).wants(improved)).toBe(false);
  expect(start(webhookOf({ events: 'all' })).wants(improved)).toBe(true);
});
