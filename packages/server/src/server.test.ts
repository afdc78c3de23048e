import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import {
  decodeProfile,
  decodeTree,
  encodeProfile,
  type Profile,
  ProfileBuilder,
  TREE_MEDIA_TYPE,
} from '@everflame/profile';
import { encodeWriteRequest, http, type WriteRequest } from '@everflame/protocols';
import { type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServer, type Server, ServerStartError } from './server.ts';

let server: Server;
let dataDir: string;
const nowMs = Date.now();

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'everflame-server-'));
  const webRoot = join(dataDir, 'web');
  mkdirSync(join(webRoot, 'assets'), { recursive: true });
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>Everflame</title>');
  writeFileSync(join(webRoot, 'assets', 'index-B1cd2EfG.js'), 'export {};');
  server = await createServer({
    listen: { host: '127.0.0.1', port: 0 },
    dataDir: join(dataDir, 'data'),
    webRoot,
    version: '1.2.3',
    limits: { maxBodyBytes: 1_000_000, maxProfileBytes: 2_000_000 },
    sourceRoots: [{ prefix: '/src', dir: webRoot }],
  });
});
afterAll(async () => {
  await server.close();
  rmSync(dataDir, { recursive: true });
});

interface Drawn {
  readonly timeMs?: number;
  /** `root;leaf` and its value in nanoseconds. */
  readonly stacks: Readonly<Record<string, bigint>>;
}

function cpuProfile({ timeMs = nowMs, stacks }: Drawn): Profile {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: 10_101_010n,
    timeNanos: BigInt(timeMs) * 1_000_000n,
    durationNanos: 10_000_000_000n,
  });
  for (const [path, value] of Object.entries(stacks)) {
    let stack = 0;
    for (const name of path.split(';')) {
      stack = builder.stack(stack, builder.location({ lines: [{ function: builder.function({ name }) }] }));
    }
    builder.add(stack, builder.labelSet([{ key: 'thread_name', text: 'main' }]), [1n, value]);
  }
  return builder.build();
}

function post(search: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}/api/v1/profiles?${search}`, { method: 'POST', body: new Uint8Array(body), headers });
}

async function get<T>(path: string, schema: TSchema): Promise<T> {
  const response = await fetch(`${server.url}/api/v1${path}`);
  const answer: unknown = await response.json();
  expect(response.ok ? 200 : answer).toBe(200);
  expect([...Value.Errors(schema, answer)]).toEqual([]);
  return answer as T;
}

/** Status, code and field of a refusal, which must be a problem document. */
async function refusal(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  const problem: unknown = await response.json();
  expect([...Value.Errors(http.Problem, problem)]).toEqual([]);
  const { status, code, field } = problem as http.Problem;
  expect(status).toBe(response.status);
  return `${status} ${code} ${field ?? ''}`.trimEnd();
}

const plain = encodeProfile(cpuProfile({ stacks: { 'main;work': 100n } }));

test('large answers come whole, to all who ask the same at once, also beside one who goes away', async () => {
  let total = 0n;
  for (let part = 0; part < 11; part++) {
    const stacks: Record<string, bigint> = {};
    for (let i = 0; i < 30; i++) for (let j = 0; j < 330; j++) stacks[`f${part * 30 + i};g${j}`] = BigInt(i + j + 1);
    const stored = await post('service_name=large', gzipSync(encodeProfile(cpuProfile({ stacks }))));
    expect(stored.status === 202 ? '' : await stored.text()).toBe('');
    total += Object.values(stacks).reduce((sum, value) => sum + value, 0n);
  }
  const url = `${server.url}/api/v1/flamegraph?query=${encodeURIComponent('{service_name="large"}')}&from=${nowMs - 1000}&until=${nowMs + 1000}`;
  const headers = { accept: TREE_MEDIA_TYPE, 'accept-encoding': 'identity' };
  const ask = async (signal: AbortSignal | null = null) => (await fetch(url, { headers, signal })).arrayBuffer();
  for (let round = 0; round < 3; round++) {
    const gone = new AbortController();
    const left = ask(gone.signal).catch(() => null);
    const answers = Promise.all([ask(), ask(), ask()]);
    if (round > 0) gone.abort();
    for (const answer of await answers) {
      expect(answer.byteLength).toBeGreaterThan(4 * 1024 * 1024);
      const decoded = decodeTree(new Uint8Array(answer));
      expect(decoded.ok && decoded.tree.total[0]).toBe(total);
      // The last by name: f99 is the tenth of its part, g99 its hundredth.
      expect(decoded.ok && decoded.tree.total.at(-1)).toBe(109n);
    }
    await left;
  }
});

test('source is read where it is allowed', async () => {
  const text = await get<http.SourceAnswer>('/source?file=/src/assets/index-B1cd2EfG.js', http.SourceAnswer);
  expect(text).toMatchObject({ first: 1, lines: ['export {};'], lineCount: 1, reason: null });
  const elsewhere = await get<http.SourceAnswer>('/source?file=/etc/hosts.c&first=3', http.SourceAnswer);
  expect(elsewhere).toMatchObject({ first: 3, lines: null, reason: 'elsewhere' });
  for (const [search, problem] of [
    ['', '400 missing_parameter file'],
    ['file=/src/x.js&first=0', '400 bad_value first'],
    ['file=/src/x.js&first=9&last=8', '400 bad_value last'],
    ['file=/src/x.js&lines=8', '400 unknown_parameter lines'],
  ] as const) {
    expect(await refusal(await fetch(`${server.url}/api/v1/source?${search}`))).toBe(problem);
  }
});

test('a profile posted plain, gzipped or with zstd is stored and answered by every route', async () => {
  const selector = encodeURIComponent('{service_name="formats"}');
  const bodies = [plain, gzipSync(plain), new Uint8Array(zstdCompressSync(plain))];
  for (const [index, body] of bodies.entries()) {
    const response = await post(`service_name=formats&service_version=v${index}&host_name=h`, body);
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ profiles: 1, names: ['process_cpu'] });
  }
  const top = await get<http.TopAnswer>(`/top?query=${selector}`, http.TopAnswer);
  expect(top).toMatchObject({ profiles: 3, total: '300', samples: 3, unit: 'nanoseconds' });
  expect(top.functions.map(({ name, self, total }) => [name, self, total])).toEqual([
    ['work', '300', '300'],
    ['main', '0', '300'],
  ]);
  const tree = await get<http.FlamegraphAnswer>(
    `/flamegraph?query=${selector}&group_by=service_version`,
    http.FlamegraphAnswer,
  );
  expect(tree.nodes.frame.map((frame) => tree.frames.name[frame])).toEqual([
    'root',
    ...['v0', 'v1', 'v2'].flatMap((version) => [version, 'main', 'work']),
  ]);
  const callers = await get<http.CallersAnswer>(`/callers?query=${selector}&function=work`, http.CallersAnswer);
  expect(callers.callers.map(({ name, total }) => [name, total])).toEqual([['main', '300']]);
  const range = await get<http.QueryRangeAnswer>(
    `/query_range?query=${selector}&by=service_version&step=1h`,
    http.QueryRangeAnswer,
  );
  expect(range.series.map(({ labels, values }) => [labels, values])).toEqual(
    [0, 1, 2].map((version) => [{ service_version: `v${version}` }, ['100']]),
  );
  const functions = await get<http.QueryRangeAnswer>(
    `/query_range?query=${selector}&by=function&top=1&step=1h`,
    http.QueryRangeAnswer,
  );
  expect(functions.series.map(({ labels, values }) => [labels, values])).toEqual([
    [{ function: 'work', file: '' }, ['300']],
    [{ rest: '0 other functions' }, ['0']],
  ]);
  const diff = await get<http.DiffAnswer>(
    `/diff?before_query=${encodeURIComponent('{service_version="v0"}')}&after_query=${selector}`,
    http.DiffAnswer,
  );
  expect([diff.before.total, diff.after.total]).toEqual(['100', '300']);
  const series = await get<http.SeriesAnswer>(`/series?query=${selector}`, http.SeriesAnswer);
  expect(series.series).toHaveLength(6);
  const types = await get<http.ProfileTypesAnswer>(`/profile-types?query=${selector}`, http.ProfileTypesAnswer);
  expect(types.profileTypes.map(({ id }) => id)).toEqual([
    'process_cpu:cpu:nanoseconds:cpu:nanoseconds',
    'process_cpu:samples:count:cpu:nanoseconds',
  ]);
  const labels = await get<http.LabelNamesAnswer>('/labels', http.LabelNamesAnswer);
  expect(labels).toEqual({ names: ['host_name', 'service_name', 'service_version'], sampleNames: ['thread_name'] });
  const values = await get<http.LabelValuesAnswer>('/labels/thread_name/values', http.LabelValuesAnswer);
  expect(values).toEqual({ values: ['main'] });
  const services = await get<http.ServicesAnswer>('/services', http.ServicesAnswer);
  expect(services.services.find(({ service }) => service === 'formats')).toMatchObject({
    hosts: 1,
    value: '300',
    top: [{ name: 'work', self: '300' }],
  });
  const lines = await get<http.LinesAnswer>(`/lines?function=work&query=${selector}`, http.LinesAnswer);
  expect([lines.function.total, lines.lines.map(({ self }) => self)]).toEqual(['300', ['300']]);
  const binaries = await get<http.BinariesAnswer>(`/binaries?query=${selector}`, http.BinariesAnswer);
  expect([binaries.profiles, binaries.binaries]).toEqual([3, []]);
  const alone = await get<http.ServicesAnswer>('/services?top=0', http.ServicesAnswer);
  expect(alone.services).toEqual(services.services.map((one) => ({ ...one, top: [] })));
  const refused = await fetch(`${server.url}/api/v1/services?top=101`);
  expect([refused.status, ((await refused.json()) as http.Problem).code]).toEqual([400, 'bad_top']);
  const folded = await fetch(`${server.url}/api/v1/export?format=folded&query=${selector}`);
  expect(await folded.text()).toBe('main;work 300\n');
});

test('what is visible is visible at once after the 202, and the download equals what was posted', async () => {
  const profile = cpuProfile({ stacks: { 'a;b': 5n, 'a;c;c;c': 9_007_199_254_740_993n } });
  expect((await post('service_name=whole', encodeProfile(profile))).status).toBe(202);
  const response = await fetch(`${server.url}/api/v1/pprof?query=${encodeURIComponent('{service_name="whole"}')}`);
  expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="process_cpu\..*\.pb\.gz"$/);
  const decoded = decodeProfile(gunzipSync(await response.bytes()));
  expect(decoded.ok && Array.from(decoded.profile.samples.values.toSorted())).toEqual([
    1n,
    1n,
    5n,
    9_007_199_254_740_993n,
  ]);
  expect(decoded.ok && [decoded.profile.timeNanos, decoded.profile.period, decoded.profile.durationNanos]).toEqual([
    profile.timeNanos,
    profile.period,
    profile.durationNanos,
  ]);
});

test('a profile that does not say its time gets that of its arrival, and the answer says so', async () => {
  const response = await post(
    'service_name=timeless',
    encodeProfile({ ...cpuProfile({ stacks: { f: 1n } }), timeNanos: 0n }),
  );
  expect(response.status).toBe(202);
  expect(response.headers.get('x-everflame-time')).toBe('now');
  expect((await post('service_name=timed', plain)).headers.get('x-everflame-time')).toBeNull();
  const top = await get<http.TopAnswer>(
    `/top?query=${encodeURIComponent('{service_name="timeless"}')}&from=now-1m&until=now%2B1m`,
    http.TopAnswer,
  );
  expect(top.profiles).toBe(1);
});

test('sums beyond int64 are refused in words, at the door and in a question', async () => {
  const most = 2n ** 63n - 1n;
  const over = await post('service_name=over', encodeProfile(cpuProfile({ stacks: { f: most, g: most } })));
  expect(await refusal(over)).toBe('400 sum_overflow sample.value[1]');
  const one = encodeProfile(cpuProfile({ stacks: { f: most } }));
  for (const host of ['a', 'b']) expect((await post(`service_name=most&host_name=${host}`, one)).status).toBe(202);
  const query = encodeURIComponent('{service_name="most"}');
  for (const path of ['top', 'flamegraph', 'pprof', 'query_range']) {
    expect(await refusal(await fetch(`${server.url}/api/v1/${path}?query=${query}`))).toBe('422 storage_sum_overflow');
  }
  const narrow = encodeURIComponent('{service_name="most", host_name="a"}');
  const top = await get<http.TopAnswer>(`/top?query=${narrow}`, http.TopAnswer);
  expect(top.total).toBe(String(most));
});

const future = encodeProfile(cpuProfile({ timeMs: nowMs + 2 * 86_400_000, stacks: { f: 1n } }));
const past = encodeProfile(cpuProfile({ timeMs: 900_000_000_000, stacks: { f: 1n } }));
const drawn = cpuProfile({ stacks: { f: 1n } });
const nameless = encodeProfile({ ...drawn, sampleTypes: drawn.sampleTypes.map(({ unit }) => ({ type: '', unit })) });
type Refusal = [what: string, expected: string, search: string, body: Uint8Array, headers?: Record<string, string>];
const refusals: Refusal[] = [
  ['an empty body', '400 empty_body body', 'service_name=x', new Uint8Array()],
  [
    'garbage',
    '400 profile_not_protobuf profile',
    'service_name=x',
    new TextEncoder().encode('\xff\xff\xff not a profile'),
  ],
  ['a cut gzip file', '400 bad_compression body', 'service_name=x', gzipSync(plain).subarray(0, -9)],
  ['a damaged gzip file', '400 bad_compression body', 'service_name=x', gzipSync(plain).fill(7, 30, 40)],
  [
    'a cut zstd file',
    '400 bad_compression body',
    'service_name=x',
    new Uint8Array(zstdCompressSync(plain)).subarray(0, -9),
  ],
  ['a cut profile', '400 profile_truncated period', 'service_name=x', plain.subarray(0, -1)],
  ['a profile of the future', '400 bad_time time_nanos', 'service_name=x', future],
  ['a profile from before 2000', '400 bad_time time_nanos', 'service_name=x', past],
  ['a profile whose values have no name', '400 no_sample_type_name sample_type[0].type', 'service_name=x', nameless],
  ['a label that is no identifier', '400 bad_label labels.a-b', 'a-b=1', plain],
  ['a value that is too long', '400 bad_label labels.a', `a=${'x'.repeat(2049)}`, plain],
  ['a bad name', '400 bad_label labels.__name__', '__name__=a:b', plain],
  ['a label given twice', '400 repeated_parameter a', 'a=1&a=2', plain],
  ['a body over the limit', '413 too_large body', 'service_name=x', new Uint8Array(1_000_001)],
  ['a bomb', '413 too_large body', 'service_name=x', gzipSync(new Uint8Array(2_000_001))],
  ['an unknown encoding', '415 bad_encoding content-encoding', 'service_name=x', plain, { 'content-encoding': 'br' }],
];

test.each(refusals)(
  '%s is refused with %s and nothing of it is stored',
  async (_what, expected, search, body, headers = {}) => {
    const before = await get<http.StatusAnswer>('/status', http.StatusAnswer);
    expect(await refusal(await post(search, body, headers))).toBe(expected);
    const after = await get<http.StatusAnswer>('/status', http.StatusAnswer);
    expect(after.storage.profiles).toBe(before.storage.profiles);
  },
);

const badQuestions: readonly (readonly [path: string, expected: string])[] = [
  ['/top?quary={}', '400 unknown_parameter quary'],
  ['/top?query={}&query={}', '400 repeated_parameter query'],
  ['/top?query={a=}', '400 bad_selector query'],
  ['/top?query={a=~"("}', '400 bad_selector query'],
  ['/top?query=a:b{}', '400 bad_profile_type query'],
  ['/top?from=yesterday', '400 bad_time from'],
  ['/top?from=now&until=now-1h', '400 bad_time_range from'],
  ['/query_range?step=1ms', '400 bad_step step'],
  ['/query_range?step=fast', '400 bad_step step'],
  ['/query_range?by=function&step=90s', '400 bad_step step'],
  ['/query_range?by=function&top=many', '400 bad_value top'],
  ['/callers', '400 missing_parameter function'],
  ['/export?format=svg', '400 bad_format format'],
  ['/pprof?query={service_name="nobody"}', '404 nothing_stored query'],
  ['/flamegraf', '404 not_found'],
];

test.each(badQuestions)('%s is refused with %s', async (path, expected) => {
  expect(await refusal(await fetch(`${server.url}/api/v1${path}`))).toBe(expected);
});

test('a question about nothing is answered with nothing', async () => {
  const none = `query=${encodeURIComponent('process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="nobody"}')}`;
  expect(await get<http.TopAnswer>(`/top?${none}`, http.TopAnswer)).toMatchObject({
    profiles: 0,
    total: '0',
    functions: [],
  });
  const tree = await get<http.FlamegraphAnswer>(`/flamegraph?${none}`, http.FlamegraphAnswer);
  expect(tree.nodes).toMatchObject({ parent: [0], frame: [0], total: ['0'] });
  const range = await get<http.QueryRangeAnswer>(`/query_range?${none}`, http.QueryRangeAnswer);
  expect(range).toMatchObject({ unit: 'nanoseconds', series: [] });
  const untyped = `query=${encodeURIComponent('{service_name="nobody"}')}`;
  const diff = await get<http.DiffAnswer>(`/diff?${untyped}`, http.DiffAnswer);
  expect(diff).toMatchObject({ profileType: '', functions: [], nodes: { parent: [0] } });
});

function writeRequest(batchId: number, service: string, values: readonly bigint[]): WriteRequest {
  return {
    batchId: new Uint8Array(16).fill(batchId),
    agent: {
      id: 'agent-1',
      hostName: 'h1',
      version: '0.1.0',
      kernel: '6.18',
      architecture: 'x86_64',
      startedUnixNanos: BigInt(nowMs) * 1_000_000n,
    },
    profiles: values.map((value) => ({
      labels: { __name__: 'process_cpu', service_name: service },
      pprof: encodeProfile(cpuProfile({ stacks: { f: value } })),
    })),
    counters: [{ name: 'samples_lost', cause: 'ring_full', total: 3n }],
  };
}

function write(request: WriteRequest): Promise<Response> {
  const body = new Uint8Array(zstdCompressSync(encodeWriteRequest(request)));
  const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'zstd' };
  return fetch(`${server.url}/api/v1/write`, { method: 'POST', body, headers });
}

test('a batch is stored once however often it is sent, and whole or not at all', async () => {
  const batch = writeRequest(1, 'batched', [1n, 2n]);
  expect(await (await write(batch)).json()).toEqual({ profiles: 2, names: ['process_cpu'] });
  expect(await (await write(batch)).json()).toEqual({ profiles: 0, names: ['process_cpu'] });
  const broken = writeRequest(2, 'batched', [4n, 8n]);
  const cut = {
    ...broken,
    profiles: broken.profiles.map((one, i) => (i === 1 ? { ...one, pprof: one.pprof.slice(1) } : one)),
  };
  expect(await refusal(await write(cut))).toMatch(/^400 profile_\w+ profiles\[1\]\./);
  const top = await get<http.TopAnswer>(`/top?query=${encodeURIComponent('{service_name="batched"}')}`, http.TopAnswer);
  expect(top.total).toBe('3');
  const status = await get<http.StatusAnswer>('/status', http.StatusAnswer);
  expect(status.agents).toMatchObject([
    { id: 'agent-1', hostName: 'h1', counters: [{ name: 'samples_lost', cause: 'ring_full', total: '3' }] },
  ]);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain(
    'everflame_agent_counter{agent="agent-1",host_name="h1",name="samples_lost",cause="ring_full"} 3',
  );
});

test('deployments are seen in profiles and marked by hand', async () => {
  expect((await post('service_name=shop&service_version=1.0&host_name=a', plain)).status).toBe(202);
  const mark = { service: 'shop', version: '1.1', at: '2026-01-02T03:04:05Z', commit: 'abc' };
  const response = await fetch(`${server.url}/api/v1/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(mark),
  });
  expect(response.status).toBe(201);
  expect(await response.json()).toMatchObject({
    version: '1.1',
    firstSeen: null,
    marks: [{ at: Date.UTC(2026, 0, 2, 3, 4, 5) }],
  });
  const { deployments } = await get<http.DeploymentsAnswer>('/deployments?service=shop', http.DeploymentsAnswer);
  expect(deployments.map(({ version, firstSeen, hosts }) => [version, firstSeen, hosts])).toEqual([
    ['1.0', nowMs, ['a']],
    ['1.1', null, []],
  ]);
  const wrong = await fetch(`${server.url}/api/v1/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ service: 'shop' }),
  });
  expect(await refusal(wrong)).toMatch(/^400 invalid_request/);
});

test('the page is served with a strict policy, its routes fall back to it, hashed files are kept', async () => {
  const page = await fetch(`${server.url}/flamegraph?query=x`);
  expect(await page.text()).toContain('<title>Everflame</title>');
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
  expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const asset = await fetch(`${server.url}/assets/index-B1cd2EfG.js`);
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(asset.headers.get('content-type')).toMatch(/javascript/);
  expect((await fetch(`${server.url}/assets/gone.js`)).status).toBe(404);
  const api = await fetch(`${server.url}/api/v1/openapi.json`, { headers: { 'accept-encoding': 'br' } });
  expect(api.headers.get('content-encoding')).toBe('br');
  expect(await api.json()).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
  expect(api.headers.get('access-control-allow-origin')).toBeNull();
});

test('a name that someone else resolves to this machine is refused, and so is a write by a page of another site', async () => {
  const rebound = await new Promise<number | undefined>((resolve, reject) => {
    const url = new URL('/api/v1/status', server.url);
    const sent = httpRequest(url, { headers: { host: 'evil.example:4099' } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });
  expect(rebound).toBe(421);
  const crossSite = await fetch(`${server.url}/api/v1/profiles?service_name=x`, {
    method: 'POST',
    body: new Uint8Array(plain),
    headers: { 'sec-fetch-site': 'cross-site' },
  });
  expect(await refusal(crossSite)).toBe('403 cross_site sec-fetch-site');
});

test('probes answer, and a second server on the same directory or port is refused in words', async () => {
  expect(await (await fetch(`${server.url}/-/ready`)).text()).toBe('ready\n');
  expect((await fetch(`${server.url}/-/healthy`)).status).toBe(200);
  const again = createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir: join(dataDir, 'data') });
  await expect(again).rejects.toThrow(/another server uses/);
  const port = Number(new URL(server.url).port);
  const taken = createServer({ listen: { host: '127.0.0.1', port }, dataDir: join(dataDir, 'other') });
  await expect(taken).rejects.toThrow(ServerStartError);
  await expect(taken).rejects.toThrow(/is in use/);
  writeFileSync(join(dataDir, 'file'), '');
  const noDir = createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir: join(dataDir, 'file') });
  await expect(noDir).rejects.toThrow(ServerStartError);
});

test('an end waits neither for connections that ask nothing nor for requests that do not end, and stores what is in flight', async () => {
  const ending = await createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir: join(dataDir, 'ending') });
  const port = Number(new URL(ending.url).port);
  const silent = connect(port, '127.0.0.1');
  const endless = connect(port, '127.0.0.1');
  const inFlight = connect(port, '127.0.0.1');
  for (const socket of [silent, endless]) socket.on('error', () => {});
  await Promise.all([silent, endless, inFlight].map(async (socket) => once(socket, 'connect')));
  const body = encodeProfile(cpuProfile({ stacks: { 'main;work': 5n } }));
  const head = `POST /api/v1/profiles?service_name=late HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n`;
  endless.write(head);
  inFlight.write(head);
  // Answered after both heads have been read.
  await (await fetch(`${ending.url}/-/ready`)).text();
  const startedMs = performance.now();
  const closed = ending.close();
  await once(silent, 'close');
  inFlight.write(body);
  const [answer] = (await once(inFlight, 'data')) as [Buffer];
  expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 202 /u);
  await closed;
  // Five times what it is given: Node.js would wait for 5 min.
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  const again = await createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir: join(dataDir, 'ending') });
  const { services } = (await (await fetch(`${again.url}/api/v1/services`)).json()) as http.ServicesAnswer;
  await again.close();
  expect(services.map(({ service }) => service)).toEqual(['late']);
});
