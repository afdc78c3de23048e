// google/pprof is the judge: a download over any range and selector holds what `go tool pprof -proto` makes of the same inputs.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalSamples } from '../load/canonical-samples.ts';
import { goPprof } from '../load/go-pprof.ts';
import { LoadSource, standardFleet } from '../load/load-source.ts';
import { Random } from '../load/random.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

interface Posted {
  readonly file: string;
  readonly timeMs: number;
  readonly labels: Readonly<Record<string, string>>;
}

const profiles = 120;
const hourMs = 3_600_000;
const untilMs = Math.floor(Date.now() / hourMs) * hourMs;
const fromMs = untilMs - 24 * hourMs;
/** Printed with a failure, so that it can be run again. */
const seed = Number(process.env['EVERFLAME_SEED'] ?? Date.now() % 100_000);
const random = new Random(seed);
const posted: Posted[] = [];
let server: ServerProcess;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'everflame-exact-'));
  server = await startServerProcess(join(dir, 'data'));
  const code = { ...standardFleet.code, functions: 600, minStacks: 800, maxStacks: 2000 };
  const shape = { services: 3, hosts: 2, profiles, untilMs, seed, threads: 2, minSamples: 50, maxSamples: 200, code };
  const load = new LoadSource({ ...standardFleet, ...shape });
  // Late data among the new: in no order, with a restart in between.
  const order = Array.from({ length: profiles }, (_, i) => i).sort(() => random.next() - 0.5);
  for (const [place, i] of order.entries()) {
    if (place === profiles / 2) {
      await server.end('SIGTERM');
      server = await startServerProcess(join(dir, 'data'));
    }
    const { labels, timeMs, bytes } = load.profile(i);
    const body = gzipSync(bytes, { level: 1 });
    const file = join(dir, `${i}.pb.gz`);
    writeFileSync(file, body);
    const url = `${server.url}/api/v1/profiles?${new URLSearchParams(labels).toString()}`;
    const response = await fetch(url, { method: 'POST', body });
    if (response.status !== 202) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    posted.push({ file, timeMs, labels });
  }
});
afterAll(async () => {
  await server.end('SIGTERM');
  rmSync(dir, { recursive: true });
});

interface Selected {
  readonly text: string;
  readonly fits: (labels: Readonly<Record<string, string>>) => boolean;
}

/** A selector and, told independently of the server's own matching, which profiles it means. */
function drawSelector(): Selected {
  const { labels } = random.pick(posted);
  const name = random.pick(Object.keys(labels));
  const value = labels[name] ?? '';
  const selectors: readonly Selected[] = [
    { text: '', fits: () => true },
    { text: `${name}="${value}"`, fits: (own) => own[name] === value },
    { text: `${name}!="${value}"`, fits: (own) => own[name] !== value },
    { text: `${name}=~"${value.slice(0, 5)}.*"`, fits: (own) => own[name]?.startsWith(value.slice(0, 5)) === true },
    {
      text: `service_name="${labels['service_name']}",service_version!~"1[.]0.*"`,
      fits: (own) => own['service_name'] === labels['service_name'] && own['service_version'] !== '1.0.0',
    },
  ];
  return random.pick(selectors);
}

function drawRange(): { readonly from: number; readonly until: number } {
  if (random.next() < 0.2) return { from: fromMs, until: untilMs };
  // An end that is a profile's own time tells whether ends are in or out.
  const end = () => (random.next() < 0.5 ? random.pick(posted).timeMs : fromMs + random.below(24 * hourMs));
  const [from = fromMs, until = untilMs] = [end(), end()].sort((a, b) => a - b);
  return { from, until: Math.max(until, from + 1) };
}

test(`the download equals pprof -proto of the same inputs (EVERFLAME_SEED=${seed})`, async () => {
  let [compared, rows] = [0, 0];
  for (let round = 0; round < 25; round++) {
    const selector = drawSelector();
    const { from, until } = drawRange();
    const inputs = posted.filter(({ timeMs, labels }) => timeMs >= from && timeMs < until && selector.fits(labels));
    const query = `process_cpu:cpu:nanoseconds:cpu:nanoseconds{${selector.text}}`;
    const parameters = new URLSearchParams({ query, from: String(from), until: String(until) });
    const response = await fetch(`${server.url}/api/v1/pprof?${parameters.toString()}`);
    const got = canonicalSamples(Buffer.from(await response.arrayBuffer()));
    let wanted = new Map<string, bigint[]>();
    if (inputs.length > 0) {
      const output = join(dir, 'merged.pb.gz');
      await goPprof(['-proto', `-output=${output}`, ...inputs.map(({ file }) => file)], dir);
      wanted = canonicalSamples(readFileSync(output));
      compared++;
      rows += wanted.size;
    }
    expect({ query, from, until, samples: got }).toEqual({ query, from, until, samples: wanted });
  }
  // Most of what was drawn has something in it.
  expect(compared).toBeGreaterThan(10);
  expect(rows).toBeGreaterThan(2000);
});
