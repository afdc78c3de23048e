// go tool pprof is the judge: what it says of the whole download with its filters set equals what the API says with the same ones.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeProfile, encodeProfile } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { createServer, type Server } from '@everflame/server';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { goPprof } from '../load/go-pprof.ts';
import { LoadSource, standardFleet } from '../load/load-source.ts';
import { getJson } from '../support/api.ts';
import { canonicalSamples } from '../load/canonical-samples.ts';

let server: Server;
let dir: string;
const range = { from: 'now-2h', until: 'now+1h' };
const files = { load: 'load.pb.gz', heap: 'heap.pb.gz' };

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'everflame-filters-'));
  server = await createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir: join(dir, 'data') });
  const load = new LoadSource({
    ...standardFleet,
    services: 1,
    profiles: 1,
    spanMs: 600_000,
    untilMs: Date.now(),
    threads: 3,
  });
  await post('load', load.profile(0).bytes);
  const heap = decodeProfile(
    gunzipSync(readFileSync(join(import.meta.dirname, '../corpus/pprof/go-1.26.8/heap.pb.gz'))),
  );
  if (!heap.ok) throw new Error(heap.error.message);
  await post('heap', encodeProfile({ ...heap.profile, timeNanos: BigInt(Date.now()) * 1_000_000n }));
  for (const [service, file] of Object.entries(files)) {
    const url = `${server.url}/api/v1/pprof?${new URLSearchParams({ query: `{service_name="${service}"}`, ...range }).toString()}`;
    writeFileSync(join(dir, file), Buffer.from(await (await fetch(url)).arrayBuffer()));
  }
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

async function post(service: string, body: Uint8Array): Promise<void> {
  const response = await fetch(`${server.url}/api/v1/profiles?service_name=${service}`, {
    method: 'POST',
    body: gzipSync(body),
  });
  if (response.status !== 202) throw new Error(await response.text());
}

const cases: readonly { readonly service: keyof typeof files; readonly filters: Readonly<Record<string, string>> }[] = [
  { service: 'load', filters: { focus: 'Invoice' } },
  { service: 'load', filters: { focus: '\\.func[12]$', ignore: 'libc' } },
  { service: 'load', filters: { ignore: 'kallsyms' } },
  { service: 'load', filters: { ignore: '(?i)cart|ORDER' } },
  { service: 'load', filters: { hide: 'internal/(cart|order)' } },
  { service: 'load', filters: { hide: '/usr/local/bin' } },
  { service: 'load', filters: { show: 'validate|_lock' } },
  { service: 'load', filters: { show: 'kernel' } },
  { service: 'load', filters: { show_from: 'Cart' } },
  { service: 'load', filters: { show_from: 'libc', hide: '^lock' } },
  { service: 'load', filters: { focus: 'Order', ignore: 'Cart', hide: 'get', show: '.*', show_from: 'Offer|Order' } },
  { service: 'load', filters: { focus: 'matches nothing at all' } },
  { service: 'load', filters: { tagfocus: 'worker-2' } },
  { service: 'load', filters: { tagfocus: 'thread_name=worker-[13]', tagignore: 'worker-1' } },
  { service: 'load', filters: { tagfocus: 'worker-[12],thread' } },
  { service: 'load', filters: { tagshow: 'nothing' } },
  { service: 'load', filters: { taghide: 'thread' } },
  { service: 'heap', filters: { tagfocus: '1kb:' } },
  { service: 'heap', filters: { tagfocus: ':64kb' } },
  { service: 'heap', filters: { tagfocus: 'bytes=16b:4096b' } },
  { service: 'heap', filters: { tagignore: '1mb:100mb', focus: 'main' } },
  { service: 'heap', filters: { show: 'runtime', tagfocus: '1b:' } },
];

test.each(cases)('$service with $filters', async ({ service, filters }) => {
  const query = `{service_name="${service}"}`;
  const output = join(dir, 'filtered.pb.gz');
  const flags = Object.entries(filters).map(([name, value]) => `-${name}=${value}`);
  await goPprof(['-proto', `-output=${output}`, ...flags, join(dir, files[service])], dir);
  const wanted = canonicalSamples(readFileSync(output));
  expect(wanted.size > 0).toBe(filters['focus'] !== 'matches nothing at all');
  expect(wanted).not.toEqual(canonicalSamples(readFileSync(join(dir, files[service]))));
  const url = `${server.url}/api/v1/pprof?${new URLSearchParams({ query, ...range, ...filters }).toString()}`;
  const got = canonicalSamples(Buffer.from(await (await fetch(url)).arrayBuffer()));
  expect(got).toEqual(wanted);
  // Every view is made of the same samples.
  const last = [...wanted.values()].reduce((sum, values) => sum + (values.at(-1) ?? 0n), 0n);
  const parameters = { query, ...range, ...filters };
  const tree = await getJson<http.FlamegraphAnswer>(server.url, '/api/v1/flamegraph', parameters);
  expect(BigInt(tree.nodes.total[0] ?? '')).toBe(last);
  const top = await getJson<http.TopAnswer>(server.url, '/api/v1/top', parameters);
  expect(BigInt(top.total)).toBe(last);
  const line = await getJson<http.QueryRangeAnswer>(server.url, '/api/v1/query_range', { ...parameters, step: '1h' });
  expect(line.series.flatMap(({ values }) => values).reduce((sum, value) => sum + BigInt(value), 0n)).toBe(last);
  const sides = { ...parameters, before_from: 'now-4h', before_until: 'now-3h' };
  const diff = await getJson<http.DiffAnswer>(server.url, '/api/v1/diff', sides);
  expect(BigInt(diff.after.total)).toBe(last);
  const folded = await fetch(
    `${server.url}/api/v1/export?${new URLSearchParams({ ...parameters, format: 'folded' }).toString()}`,
  );
  const exported = [...(await folded.text()).matchAll(/ (-?\d+)$/gm)].reduce(
    (sum, match) => sum + BigInt(match[1] ?? ''),
    0n,
  );
  expect(exported).toBe(last);
});

test('a function over time is its total and self of each step, by label too', async () => {
  const query = '{service_name="load"}';
  const top = await getJson<http.TopAnswer>(server.url, '/api/v1/top', { query, ...range });
  const row = top.functions.find(({ self, total }) => self !== '0' && self !== total);
  if (row === undefined) throw new Error('no function has both');
  const ask = async (more: Record<string, string>) => {
    const parameters = { query, ...range, function: row.name, ...more };
    const { series } = await getJson<http.QueryRangeAnswer>(server.url, '/api/v1/query_range', parameters);
    return series.map(({ labels, values }) => ({
      labels,
      sum: values.reduce((sum, value) => sum + BigInt(value), 0n),
    }));
  };
  expect(await ask({})).toEqual([{ labels: {}, sum: BigInt(row.total) }]);
  expect(await ask({ value: 'self' })).toEqual([{ labels: {}, sum: BigInt(row.self) }]);
  const byThread = await ask({ by: 'thread_name' });
  expect(byThread.map(({ labels }) => labels['thread_name'] ?? '').sort()).toEqual([
    'worker-1',
    'worker-2',
    'worker-3',
  ]);
  expect(byThread.reduce((sum, one) => sum + one.sum, 0n)).toBe(BigInt(row.total));
});

test('what cannot be is refused by its name', async () => {
  const refusal = async (more: Record<string, string>) => {
    const url = `${server.url}/api/v1/flamegraph?${new URLSearchParams({ query: '{service_name="load"}', ...range, ...more }).toString()}`;
    const { status, code, field } = (await (await fetch(url)).json()) as http.Problem;
    return { status, code, field };
  };
  expect(await refusal({ focus: 'a(' })).toEqual({ status: 400, code: 'bad_filter', field: 'focus' });
  expect(await refusal({ tagfocus: 'x', group_by: 'service_name' })).toEqual({
    status: 400,
    code: 'tags_with_series_label',
    field: 'group_by',
  });
});
