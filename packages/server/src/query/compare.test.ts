import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@everflame/compare/testing';
import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import { http } from '@everflame/protocols';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServer, type Server } from '../server.ts';

let server: Server;
let dataDir: string;
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'everflame-compare-'));
  server = await createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir });
}, 60_000);
afterAll(async () => {
  await server.close();
  rmSync(dataDir, { recursive: true });
}, 60_000);

const minuteMs = 60_000;
const beforeMs = Math.floor(Date.now() / minuteMs) * minuteMs - 30 * minuteMs;
const afterMs = beforeMs + 10 * minuteMs;
const cpu = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
/** What a sample at 100 Hz stands for, in nanoseconds. */
const periodNs = 10_000_000n;
const random = new Random(7);

/** CPU seconds a minute and pod by stack, `root;…;leaf`, a frame being `name`, `name@file` or `name@file:line:first line of the function`. */
type Cost = Readonly<Record<string, number>>;

/** Forty functions of a service, 60 CPU seconds a minute together. */
const usual: Cost = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [`main@main.ts;work${i}@work${i % 8}.ts`, 1.5]),
);

interface Run {
  readonly service: string;
  readonly version: string;
  readonly timeMs?: number;
  readonly cost: Cost;
  readonly load?: number;
  readonly labels?: (i: number) => Record<string, string>;
  readonly units?: number;
  readonly minutes?: number;
}

const pod = (i: number): Record<string, string> => ({ host_name: 'one', k8s_pod_name: `pod-${i}` });

/** Posts three minutes of a version on eight pods; the pods differ by 3 %, and so do the minutes of each. */
async function run({ labels = pod, units = 8, minutes = 3, load = 1, ...version }: Run): Promise<void> {
  const start = version.timeMs ?? (version.version === 'v1' ? beforeMs : afterMs);
  const posts: Promise<Response>[] = [];
  for (let i = 0; i < units; i++) {
    for (let minute = 0; minute < minutes; minute++) {
      const builder = new ProfileBuilder({
        sampleTypes: [
          { type: 'samples', unit: 'count' },
          { type: 'cpu', unit: 'nanoseconds' },
        ],
        periodType: { type: 'cpu', unit: 'nanoseconds' },
        period: periodNs,
        timeNanos: BigInt(start + minute * minuteMs) * 1_000_000n,
        durationNanos: 60_000_000_000n,
      });
      for (const [path, seconds] of Object.entries(version.cost)) {
        let stack = 0;
        for (const frame of path.split(';')) {
          const [name = '', place = ''] = frame.split('@');
          const [file = '', line = 0, startLine = 0] = place.split(':');
          const own = builder.function({ name, file, startLine: Number(startLine) });
          stack = builder.stack(stack, builder.location({ lines: [{ function: own, line: Number(line) }] }));
        }
        const noise = Math.exp(0.03 * random.normal());
        const count = BigInt(random.poisson(100 * seconds * load * noise));
        if (count > 0n) builder.add(stack, 0, [count, count * periodNs]);
      }
      const search = new URLSearchParams({
        service_name: version.service,
        service_version: version.version,
        ...labels(i),
      }).toString();
      const url = `${server.url}/api/v1/profiles?${search}`;
      posts.push(fetch(url, { method: 'POST', body: encodeProfile(builder.build()) }));
    }
  }
  for (const response of await Promise.all(posts)) expect(response.status).toBe(202);
}

async function ask(parameters: Record<string, string>): Promise<http.CompareAnswer> {
  const response = await fetch(`${server.url}/api/v1/compare?${new URLSearchParams(parameters).toString()}`);
  const answer: unknown = await response.json();
  expect(response.ok ? 200 : answer).toBe(200);
  expect([...Value.Errors(http.CompareAnswer, answer)]).toEqual([]);
  return answer as http.CompareAnswer;
}

const versions = (service: string): Record<string, string> => ({ service, before: 'v1', after: 'v2' });

function row(answer: http.CompareAnswer, name: string, file?: string): http.CompareFunction {
  const found = answer.functions.find((one) => one.name === name && (file ?? one.file) === one.file);
  if (found === undefined) throw new Error(`${name} is missing`);
  return found;
}

const findings = (answer: http.CompareAnswer): string[] =>
  answer.functions
    .filter(({ verdict }) => verdict !== 'unchanged' && verdict !== 'not enough data')
    .map(({ name, verdictText }) => `${name}: ${verdictText}`);

test('a function that costs more is named with its stack, and the sums are those of the flame graphs', async () => {
  const slow = { ...usual, 'main@main.ts;work5@work5.ts;format@format.ts': 4 };
  await run({ service: 'slow', version: 'v1', cost: { ...usual, 'main@main.ts;work5@work5.ts;format@format.ts': 2 } });
  await run({ service: 'slow', version: 'v2', cost: slow });
  const answer = await ask(versions('slow'));
  expect(answer.summary).toMatchObject({
    unitKind: 'pod',
    pairedUnits: 8,
    weakEvidence: null,
    verdict: 'regressed',
    nature: 'cost',
    lead: { name: 'format', file: 'format.ts' },
    before: { version: 'v1', units: 8, profiles: 24 },
  });
  expect(answer.sentence).toMatch(/^v2 uses \d\.\d % \(±\d\.\d\) more CPU than v1; (\d+ %|all) of it is in format\.$/);
  const format = row(answer, 'format');
  expect(format).toMatchObject({ verdict: 'regressed', carrier: { stack: ['main', 'work5', 'format'] } });
  expect(format.interval?.[0]).toBeLessThan(1);
  expect(format.interval?.[1]).toBeGreaterThan(1);
  // CPU seconds a minute and pod, as cores.
  expect(format.cores?.after).toBeCloseTo(4 / 60, 2);
  const [low = 0, high = 0] = answer.summary.before.coresInterval ?? [];
  expect([low < 62 / 60, (high ?? 0) > 62 / 60]).toEqual([true, true]);
  for (const side of ['before', 'after'] as const) {
    const { query, from, until, total, samples } = answer.summary[side];
    const search = new URLSearchParams({ query, from: String(from), until: String(until) }).toString();
    const top = (await (await fetch(`${server.url}/api/v1/top?${search}`)).json()) as http.TopAnswer;
    expect([total, samples]).toEqual([top.total, top.samples]);
    const mine = answer.functions.map((one) => {
      const [self, inclusive] =
        side === 'before' ? [one.selfBefore, one.samplesBefore] : [one.selfAfter, one.samplesAfter];
      return `${one.name} ${self} ${inclusive}`;
    });
    const theirs = top.functions.map((one) => `${one.name} ${one.selfSamples} ${one.samples}`);
    expect(mine.sort()).toEqual(theirs.sort());
  }
});

test('cost that went to another function of the file moved; a file that was moved is one function that moved', async () => {
  const cost = { ...usual, 'main@main.ts;parse@json.ts': 5, 'main@main.ts;total@cart.ts': 4 };
  await run({ service: 'moved', version: 'v1', cost });
  const { 'main@main.ts;total@cart.ts': total, ...rest } = cost;
  await run({
    service: 'moved',
    version: 'v2',
    cost: {
      ...rest,
      'main@main.ts;parse@json.ts': 2,
      'main@main.ts;parseFast@json.ts': 3,
      'main@main.ts;total@pricing.ts': total,
    },
  });
  const answer = await ask(versions('moved'));
  expect(findings(answer).sort()).toEqual([
    'parse: moved within json.ts',
    'parseFast: moved within json.ts',
    'total: moved within total',
    'total: moved within total',
  ]);
  expect(answer.summary).toMatchObject({ verdict: 'unchanged', nature: 'moved' });
  expect([row(answer, 'total', 'cart.ts').samplesAfter, row(answer, 'total', 'pricing.ts').samplesBefore]).toEqual([
    0, 0,
  ]);
});

test('a new hot function leads; the shares that it dilutes are no findings', async () => {
  await run({ service: 'diluted', version: 'v1', cost: usual });
  await run({ service: 'diluted', version: 'v2', cost: { ...usual, 'main@main.ts;audit@audit.ts': 25 } });
  const answer = await ask(versions('diluted'));
  expect(findings(answer)).toEqual(['audit: new']);
  expect(answer.summary).toMatchObject({ nature: 'cost', verdict: 'regressed', lead: { name: 'audit' } });
  const diluted = answer.functions.filter(({ dilutedBy }) => dilutedBy === 'audit');
  expect(diluted.length).toBe(40);
  expect(diluted.every(({ rawChange }) => (rawChange ?? 0) < -0.2)).toBe(true);
});

test('more load at the same cost is load', async () => {
  await run({ service: 'busy', version: 'v1', cost: usual });
  await run({ service: 'busy', version: 'v2', cost: usual, load: 1.5 });
  const answer = await ask(versions('busy'));
  expect(findings(answer)).toEqual([]);
  expect(answer.summary).toMatchObject({ nature: 'load', verdict: 'unchanged' });
  expect(answer.summary.cores?.change).toBeCloseTo(0.5, 1);
  expect(answer.sentence).toContain('its load changed');
  expect((await ask({ ...versions('busy'), normalisation: 'cores' })).summary.counts.regressed).toBeGreaterThan(20);
});

test('by requests the same cost is the same, whatever the load; and fewer requests at the same CPU cost more each', async () => {
  const served = (count: number): string => Array.from({ length: 8 }, (_, i) => `pod-${i}=${count}`).join(',');
  const by = { ...versions('busy'), normalisation: 'request' };
  const same = await ask({ ...by, before_requests: served(1000), after_requests: served(1500) });
  expect(same.summary).toMatchObject({ normalisation: 'request', basis: 'request', verdict: 'unchanged' });
  expect(findings(same)).toEqual([]);
  // 60 CPU seconds a minute, three minutes.
  expect(same.summary.before.secondsPerRequest).toBeCloseTo(180 / 1000, 2);
  const dearer = await ask({ ...by, before_requests: served(1000), after_requests: served(1000) });
  expect(dearer.summary).toMatchObject({ basis: 'request', verdict: 'regressed', nature: 'cost' });
  expect(dearer.summary.request?.change).toBeCloseTo(0.5, 1);
  expect(dearer.summary.counts.regressed).toBeGreaterThan(20);
});

test('what is gone is there, with what it had', async () => {
  const cost = { ...usual, 'main@main.ts;old@old.ts': 3 };
  await run({ service: 'gone', version: 'v1', cost });
  await run({ service: 'gone', version: 'v2', cost: usual });
  const answer = await ask(versions('gone'));
  expect(findings(answer)).toEqual(['old: gone']);
  expect(row(answer, 'old')).toMatchObject({ samplesAfter: 0, units: { before: 8, after: 0 }, change: null });
});

test('lines of a function that changed are told apart, also when others pushed it down', async () => {
  const lines = (start: number, slow: number): Cost => ({
    ...usual,
    [`main@main.ts;format@f.ts:${start + 4}:${start}`]: 2,
    [`main@main.ts;format@f.ts:${start + 7}:${start}`]: slow,
  });
  await run({ service: 'lines', version: 'v1', cost: lines(10, 2) });
  await run({ service: 'lines', version: 'v2', cost: lines(15, 4) });
  const answer = await ask(versions('lines'));
  expect(findings(answer)).toEqual(['format: regressed']);
  expect(row(answer, 'work1').lines).toBeNull();
  const told = row(answer, 'format').lines?.map((one) => [one.lineBefore, one.lineAfter, one.verdict]);
  expect(told).toEqual([
    [17, 22, 'regressed'],
    [14, 19, expect.stringMatching(/^(unchanged|not enough data)$/)],
  ]);
  const [slow] = row(answer, 'format').lines ?? [];
  expect(slow?.interval?.[0]).toBeLessThan(1);
  expect(slow?.interval?.[1]).toBeGreaterThan(1);
  const [samples, all] = [slow?.samplesAfter ?? 0, row(answer, 'format').samplesAfter];
  expect(samples / all).toBeCloseTo(4 / 6, 1);
});

test('text that was inserted changes neither the lines behind it nor the functions that are called by their lines', async () => {
  const text = (inserted: number): Cost => ({
    ...usual,
    'main@main.ts;format@shop.js:14:10': 2,
    [`main@main.ts;format@shop.js:${20 + inserted}:10`]: 3,
    [`main@main.ts;(anonymous) shop.js:${31 + inserted}@shop.js:${32 + inserted}:${31 + inserted}`]: 1,
    [`main@main.ts;(anonymous) shop.js:${32 + inserted}@shop.js:${32 + inserted}:${32 + inserted}`]: 4,
    // What was inserted, and what it does.
    ...(inserted > 0 ? { 'main@main.ts;format@shop.js:15:10;check@shop.js:3:2': 1 } : {}),
  });
  await run({ service: 'inserted', version: 'v1', cost: text(0) });
  await run({ service: 'inserted', version: 'v2', cost: text(1) });
  const answer = await ask(versions('inserted'));
  expect(findings(answer)).toEqual(['format: regressed', 'check: new']);
  expect(answer.assumptions.filter((one) => one.includes('in order and by what they cost'))).toHaveLength(2);
  const slow = row(answer, '(anonymous) shop.js:33');
  expect(slow.samplesBefore).toBeGreaterThan(8000);
  expect(slow.nameBefore).toBe('(anonymous) shop.js:32');
  const told = row(answer, 'format').lines?.map((one) => [one.lineBefore, one.lineAfter, one.verdict]);
  expect(told).toHaveLength(3);
  expect(told).toEqual(
    expect.arrayContaining([
      [14, 14, expect.stringMatching(/^(unchanged|not enough data)$/)],
      [20, 21, expect.stringMatching(/^(unchanged|not enough data)$/)],
      [null, 15, 'new'],
    ]),
  );
});

test('a release in another directory has the same functions', async () => {
  const at = (directory: string): Cost =>
    Object.fromEntries(
      Object.entries(usual).map(([path, seconds]) => [path.replaceAll('@', `@/srv/${directory}/`), seconds]),
    );
  await run({ service: 'installed', version: 'v1', cost: at('1.0.0') });
  await run({ service: 'installed', version: 'v2', cost: at('1.1.0') });
  const answer = await ask(versions('installed'));
  expect(findings(answer)).toEqual([]);
  expect(answer.functions.length).toBe(41);
  expect(row(answer, 'work3').file).toBe('/srv/1.1.0/work3.ts');
});

test('selectors and ranges make sides too: the same version in two windows', async () => {
  const range = (name: string, fromMs: number): Record<string, string> => ({
    [`${name}_from`]: String(fromMs),
    [`${name}_until`]: String(fromMs + 5 * minuteMs),
  });
  const query = `${cpu}{service_name="slow"}`;
  const answer = await ask({ query, ...range('before', beforeMs), ...range('after', afterMs) });
  expect(answer).toMatchObject({ service: '', summary: { before: { version: 'before', from: beforeMs } } });
  expect(row(answer, 'format').verdict).toBe('regressed');
});

test('hosts are units where there are two; one process on one host is cut into minutes, and is weak evidence', async () => {
  const grown = { ...usual, 'main@main.ts;work0@work0.ts': 6 };
  const host = (i: number): Record<string, string> => ({ host_name: `h${i}`, k8s_pod_name: `p${i}` });
  await run({ service: 'fleet', version: 'v1', cost: usual, labels: host });
  await run({ service: 'fleet', version: 'v2', cost: grown, labels: host });
  expect((await ask(versions('fleet'))).summary).toMatchObject({ unitKind: 'host', pairedUnits: 8 });

  const alone = { service: 'alone', units: 1, minutes: 8, labels: () => ({ host_name: 'h' }) };
  await run({ ...alone, version: 'v1', cost: usual });
  await run({ ...alone, version: 'v2', cost: grown });
  const answer = await ask(versions('alone'));
  expect(answer.summary).toMatchObject({ unitKind: 'block', weakEvidence: '1 host', before: { units: 8 } });
  expect(row(answer, 'work0')).toMatchObject({ verdictText: 'weak evidence: 1 host', lean: 'regressed' });
  expect(row(answer, 'work0').interval).not.toBeNull();
});

test('the past of a version shows how far it wanders', async () => {
  await run({ service: 'old', version: 'v1', cost: usual, minutes: 40, units: 5, timeMs: afterMs - 40 * minuteMs });
  await run({ service: 'old', version: 'v2', cost: usual, minutes: 5, units: 5 });
  const range = { from: String(afterMs - 5 * minuteMs), until: String(afterMs), after_from: String(afterMs) };
  const until = { after_until: String(afterMs + 5 * minuteMs) };
  const answer = await ask({ ...versions('old'), ...range, ...until });
  // Seven windows of five minutes lie before the one that is compared.
  expect(answer.summary.past).toBe(7);
  expect(answer.assumptions.join()).toContain('as it did in 7 past comparisons');
  expect(answer.summary.counts.regressed).toBe(0);
  expect((await ask({ ...versions('old'), ...range, ...until, past: '0' })).summary.past).toBe(0);
  // What both sides lived through together is no difference between them, however it went before.
  const together = { from: String(afterMs - 5 * minuteMs), until: String(afterMs + 5 * minuteMs) };
  expect((await ask({ ...versions('old'), ...together })).summary.past).toBe(0);
});

test('hosts that stayed on the old version show what everybody went through', async () => {
  const host = (i: number): Record<string, string> => ({ host_name: `h${i}` });
  const busy = { ...usual, 'main@main.ts;work1@work1.ts': 3 };
  await run({ service: 'rolling', version: 'v1', cost: usual, labels: host, units: 14 });
  // Half of the hosts get v2, and work1 costs twice as much on all of them.
  await run({ service: 'rolling', version: 'v2', cost: busy, labels: host, units: 7 });
  const others = (i: number): Record<string, string> => host(i + 7);
  await run({ service: 'rolling', version: 'v1', cost: busy, labels: others, units: 7, timeMs: afterMs });
  const windows = {
    before_from: String(beforeMs),
    before_until: String(beforeMs + 5 * minuteMs),
    after_from: String(afterMs),
    after_until: String(afterMs + 5 * minuteMs),
  };
  const answer = await ask({ ...versions('rolling'), ...windows });
  expect(answer.summary).toMatchObject({ controls: 7, before: { units: 14 }, after: { units: 7 } });
  expect(answer.assumptions.join()).toContain('difference-in-differences');
  expect(row(answer, 'work1').rawChange).toBeGreaterThan(0.8);
  expect(Math.abs(row(answer, 'work1').change ?? 1)).toBeLessThan(0.2);
  expect(findings(answer)).toEqual([]);
  const { query } = answer.summary.after;
  const alone = await ask({ ...windows, before_query: answer.summary.before.query, after_query: query });
  expect(row(alone, 'work1').verdict).toBe('regressed');
});

test('what cannot be compared says why', async () => {
  const refusal = async (parameters: Record<string, string>): Promise<string> => {
    const response = await fetch(`${server.url}/api/v1/compare?${new URLSearchParams(parameters).toString()}`);
    const problem = (await response.json()) as http.Problem;
    return `${response.status} ${problem.code} ${problem.field ?? ''}: ${problem.detail}`;
  };
  expect(await refusal({ service: 'slow', before: 'v1' })).toMatch(/^400 missing_parameter after/);
  expect(await refusal({ before: 'v1', after: 'v2' })).toMatch(/^400 missing_parameter service/);
  expect(await refusal({ ...versions('slow'), after: 'v9' })).toMatch(/^404 unknown_version .*: known are v2, v1/);
  expect(await refusal({ ...versions('slow'), min_effect: '-1' })).toMatch(/^400 bad_value min_effect/);
  expect(await refusal({ ...versions('slow'), q: '0' })).toMatch(/^400 bad_value q/);
  expect(await refusal({ ...versions('slow'), look: '0' })).toMatch(/^400 bad_value look/);
  expect(await refusal({ ...versions('slow'), normalisation: 'requests' })).toMatch(/^400 bad_value normalisation/);
  const byRequest = { ...versions('slow'), normalisation: 'request', before_requests: 'pod-0=10' };
  expect(await refusal(byRequest)).toMatch(/^400 missing_parameter after_requests/);
  expect(await refusal({ ...byRequest, after_requests: 'pod-0' })).toMatch(/^400 bad_value after_requests/);
  expect(await refusal({ ...byRequest, after_requests: 'pod-0=1,pod-0=2' })).toMatch(/^400 bad_value after_requests/);
  expect(await refusal({ ...byRequest, after_requests: 'pod-0=10' })).toMatch(/^422 no_requests : .* pod-\d served/);
  expect(await refusal({ ...versions('slow'), from: '1', until: '2' })).toMatch(/^422 no_samples : there are no/);
  expect(await refusal({ ...versions('slow'), befor: 'v1' })).toMatch(/^400 unknown_parameter/);
});
