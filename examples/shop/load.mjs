// Load for the shop: a fixed number of requests a second, as customers come, whatever the shop needs for them.
//
//   node load.mjs --url http://127.0.0.1:8080 [--url …] [--rate 150] [--seconds 25] [--warm-up 80000]
//
// With --warm-up that many requests are sent before, as fast as they are answered: 23 of 25 are carts. V8 compiles what prices carts,
// and in the end all that leads to it, for the last time after some ten thousand, and that costs other than what was there before.
// Bounded: at most 32 requests are under way, the others wait for their turn. What a slow machine has not answered in time is
// sent late, so that two versions get the same requests; after ten more seconds the rest is left out and counted. Loopback only.
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';

const maxUnderWay = 32;
const graceSeconds = 10;
const { values } = parseArgs({
  options: {
    url: { type: 'string', multiple: true },
    rate: { type: 'string' },
    seconds: { type: 'string' },
    'warm-up': { type: 'string', default: '0' },
  },
});
const targets = (values.url ?? ['http://127.0.0.1:8080']).map((url) => new URL(url));
const ratePerSecond = Number(values.rate ?? '150');
const seconds = Number(values.seconds ?? 'Infinity');
const warmUpRequests = Number(values['warm-up']);
if (!targets.every(({ hostname }) => ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)))
  throw new Error('load goes to loopback only');
if (!(ratePerSecond > 0 && ratePerSecond <= 5000)) throw new Error('--rate must be above 0 and at most 5000');
if (!(seconds > 0)) throw new Error('--seconds must be above 0');
if (!(Number.isInteger(warmUpRequests) && warmUpRequests >= 0))
  throw new Error('--warm-up is a whole number of requests');

const agent = new Agent({ keepAlive: true, maxSockets: maxUnderWay });
const questions = ['oak table', 'copper kettle for the kitchen', 'wool blanket', 'glass bottle for travelling'];
const counts = { sent: 0, answered: 0, failed: 0, leftOut: 0 };
let underWay = 0;
/** @type {string | undefined} */
let firstFailure;

/** What customer number `n` does: six search, three fill a cart, one fetches an invoice. */
function requestOf(n) {
  const kind = n % 10;
  if (kind < 6) return { method: 'GET', path: `/catalogue?q=${encodeURIComponent(questions[n % questions.length])}` };
  if (kind < 9) {
    const lines = Array.from({ length: 24 }, (_, index) => ({
      productId: (n * 13 + index * 7) % 2400,
      quantity: 1 + (n % 60),
    }));
    const vouchers = Array.from({ length: 30 }, (_, index) => 500 + ((n * 37 + index * 211) % 4500));
    return { method: 'POST', path: '/cart', body: JSON.stringify({ lines, vouchers }) };
  }
  return { method: 'GET', path: `/invoices/${n % 1_000_000}` };
}

/**
 * The customer of the `i`th request of the warm-up. Some of each kind are among them: V8 may throw away what it has compiled when nothing but
 * carts were seen.
 * @param {number} i
 */
function warmUpRequest(i) {
  const ten = 10 * Math.floor(i / 3);
  return ten + (i % 25 === 0 ? 0 : i % 25 === 1 ? 9 : 6 + (i % 3));
}

/** @param {unknown} reason */
function fail(reason) {
  counts.failed++;
  firstFailure ??= String(reason);
}

function sendOne(n) {
  const { method, path, body } = requestOf(n);
  underWay++;
  counts.sent++;
  // Ten customers in a row go to the same shop, so that all shops get the same mix.
  const target = targets[Math.floor(n / 10) % targets.length];
  const outgoing = request(new URL(path, target), { agent, method, timeout: 10_000 }, (response) => {
    response.resume();
    response.once('end', () => {
      if (response.statusCode === 200) counts.answered++;
      else fail(`${method} ${path}: ${response.statusCode}`);
    });
  });
  outgoing.once('error', fail);
  outgoing.once('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in 10 s`)));
  outgoing.once('close', () => underWay--);
  outgoing.end(body);
}

let startedMs = performance.now();
let next = 0;
let warmedUp = 0;
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (stopping = true));
const timer = setInterval(() => {
  if (!stopping && warmedUp < warmUpRequests) {
    while (warmedUp < warmUpRequests && underWay < maxUnderWay) sendOne(warmUpRequest(warmedUp++));
    startedMs = performance.now();
    return;
  }
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  const due = Math.floor(Math.min(elapsedSeconds, seconds) * ratePerSecond);
  if (!stopping && elapsedSeconds < seconds + graceSeconds) {
    while (next < due && underWay < maxUnderWay) sendOne(next++);
    if (elapsedSeconds < seconds || next < due) return;
  }
  if (underWay > 0) return;
  clearInterval(timer);
  counts.leftOut = stopping ? 0 : due - next;
  agent.destroy();
  console.log(JSON.stringify({ ...counts, seconds: Math.round(elapsedSeconds) }));
  if (firstFailure !== undefined) {
    console.error(`load: ${counts.failed} requests failed, the first: ${firstFailure}`);
    process.exitCode = 1;
  }
}, 10);
