import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseSelector } from '@everflame/profile';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sumOfMetric } from './prometheus-text.ts';
import { RequestCounter } from './request-counter.ts';

const page = String.raw`# HELP http_requests_total Requests served.
# TYPE http_requests_total counter
http_requests_total{service="shop",route="/cart"} 1200 1395066363000
http_requests_total{service="shop",route="/a,b}\"\\\n"} 3.5e1
http_requests_total{service="other",route="/cart"} 7
http_requests_total_created{service="shop"} 1.7e9
up 1
broken{ 5
http_errors_total{service="shop"} NaN
`;

function sum(metric: string): number | null {
  const parsed = parseSelector(metric);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return sumOfMetric(page, parsed.selector);
}

test.each([
  ['http_requests_total', 1242],
  ['http_requests_total{service="shop"}', 1235],
  ['http_requests_total{route=~"/c.*", service!="other"}', 1200],
  [String.raw`http_requests_total{route="/a,b}\"\\\n"}`, 35],
  ['up', 1],
  ['http_requests', null],
  ['http_errors_total', null],
  ['http_requests_total{service="none"}', null],
  ['broken', null],
])('%s is %s', (metric, wanted) => {
  expect(sum(metric)).toBe(wanted);
});

let server: Server;
let url: URL;
let count = 0;
let status = 200;
beforeAll(async () => {
  server = createServer((_, response) => {
    response.statusCode = status;
    response.end(`requests{service="shop"} ${count}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
});
afterAll(() => void server.close());
beforeEach(() => {
  [count, status] = [100, 200];
});

test('what was counted between two readings', async () => {
  const counter = await RequestCounter.open(url, 'requests{service="shop"}');
  count = 350;
  const { requests, seconds } = await counter.counted();
  expect(requests).toBe(250);
  expect(seconds).toBeGreaterThan(0);
});

test('a counter that is missing, started anew or cannot be read is said so', async () => {
  await expect(RequestCounter.open(url, 'requests{service="x"}')).rejects.toThrow(
    `${url.href} has no series of requests{service="x"}`,
  );
  await expect(RequestCounter.open(url, '{service="x"}')).rejects.toThrow('names no metric');
  await expect(RequestCounter.open(url, 'requests{service=}')).rejects.toThrow('is no metric');
  const counter = await RequestCounter.open(url, 'requests');
  count = 3;
  await expect(counter.counted()).rejects.toThrow('requests went backwards');
  status = 503;
  await expect(counter.counted()).rejects.toThrow('answered 503');
  await expect(RequestCounter.open(new URL('http://127.0.0.1:9/'), 'requests')).rejects.toThrow('does not answer');
});
