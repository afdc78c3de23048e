// Big trees as columns: the same tree as the JSON answer, small on the wire, and any part of it by itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { decodeTree, type LimitedTree, pathIdOf, TREE_MEDIA_TYPE } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { createServer, type Server } from '@everflame/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoadSource, standardFleet } from '../load/load-source.ts';
import { getJson } from '../support/api.ts';

let server: Server;
let dir: string;
const hourMs = 3_600_000;
const untilMs = Math.floor(Date.now() / hourMs) * hourMs;
const whole = { query: '{}', from: String(untilMs - 24 * hourMs), until: String(untilMs) };

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'everflame-trees-'));
  server = await createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir: join(dir, 'data') });
  const load = new LoadSource({ ...standardFleet, profiles: 40, untilMs });
  for (let i = 0; i < load.length; i++) {
    const { labels, bytes } = load.profile(i);
    const url = `${server.url}/api/v1/profiles?${new URLSearchParams(labels).toString()}`;
    const response = await fetch(url, { method: 'POST', body: gzipSync(bytes, { level: 1 }) });
    if (response.status !== 202) throw new Error(await response.text());
  }
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

async function getTree(parameters: Readonly<Record<string, string>>, encoding = 'identity') {
  const url = `${server.url}/api/v1/flamegraph?${new URLSearchParams(parameters).toString()}`;
  const response = await fetch(url, { headers: { accept: TREE_MEDIA_TYPE, 'accept-encoding': encoding } });
  expect(response.headers.get('content-type')).toBe(TREE_MEDIA_TYPE);
  const decoded = decodeTree(new Uint8Array(await response.arrayBuffer()));
  if (!decoded.ok) throw new Error(decoded.message);
  return { ...decoded, encoding: response.headers.get('content-encoding') };
}

function asJson({ frames, parent, frame, total, self, samples, selfSamples }: LimitedTree) {
  return {
    frames,
    nodes: {
      parent: [...parent],
      frame: [...frame],
      total: Array.from(total, String),
      self: Array.from(self, String),
      samples: [...samples],
      selfSamples: [...selfSamples],
    },
  };
}

test('the columns hold the tree of the JSON answer', async () => {
  const { profileType, unit, from, until, profiles, ...tree } = await getJson<http.FlamegraphAnswer>(
    server.url,
    '/api/v1/flamegraph',
    whole,
  );
  const file = await getTree(whole);
  expect(file.head).toEqual({ profileType, unit, from, until, profiles });
  expect(asJson(file.tree)).toEqual(tree);
  expect(file.tree.parent.length).toBeGreaterThan(100_000);
});

test('a tree of 100,000 nodes takes at most 1.5 MB compressed', async () => {
  const parameters = { ...whole, max_nodes: '100000' };
  const { tree, encoding } = await getTree(parameters, 'gzip');
  expect(encoding).toBe('gzip');
  expect(tree.rest.filter((rest) => rest === 0)).toHaveLength(100_000);
  const url = new URL('/api/v1/flamegraph', server.url);
  url.search = new URLSearchParams(parameters).toString();
  const { request } = await import('node:http');
  const bytes = await new Promise<number>((resolve, reject) => {
    const asked = request(url, { headers: { accept: TREE_MEDIA_TYPE, 'accept-encoding': 'gzip' } }, (response) => {
      let sum = 0;
      response.on('data', (chunk: Buffer) => (sum += chunk.length));
      response.on('end', () => resolve(sum));
    });
    asked.on('error', reject);
    asked.end();
  });
  expect(bytes).toBeGreaterThan(100_000);
  expect(bytes).toBeLessThanOrEqual(1_500_000);
});

test('a remainder is exact, and opens to the nodes that it stands for', async () => {
  const first = await getTree({ ...whole, max_nodes: '500' });
  const all = await getTree(whole);
  const { tree } = first;
  expect(tree.total[0]).toBe(all.tree.total[0]);
  const remainder = tree.rest.findIndex((rest, row) => rest > 2 && (tree.parent[row] ?? 0) > 3);
  const above = tree.parent[remainder] ?? 0;
  const opened = await getTree({ ...whole, node: pathIdOf(tree, above) });
  const names: string[] = [];
  for (let at = above; at !== 0; at = tree.parent[at] ?? 0) names.unshift(tree.frames.name[tree.frame[at] ?? 0] ?? '');
  expect(asJson((await getTree({ ...whole, path: JSON.stringify(names) })).tree)).toEqual(asJson(opened.tree));
  expect(opened.tree.total[0]).toBe(tree.total[above]);
  // What was shown of the children and the remainder are together the children of the opened node.
  const childTotals = ({ parent, total }: LimitedTree, of: number) =>
    [...parent.keys()].filter((row) => row > 0 && parent[row] === of).map((row) => total[row] ?? 0n);
  const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);
  expect(sum(childTotals(opened.tree, 0))).toBe(sum(childTotals(tree, above)));
  const shown = childTotals(tree, above).length - 1;
  expect(childTotals(opened.tree, 0).length).toBe(shown + (tree.rest[remainder] ?? 0));
});

test('limits and nodes that are none are refused', async () => {
  const refusal = async (more: Record<string, string>) => {
    const url = `${server.url}/api/v1/flamegraph?${new URLSearchParams({ ...whole, ...more }).toString()}`;
    const response = await fetch(url, { headers: { accept: TREE_MEDIA_TYPE } });
    const { status, code, field } = (await response.json()) as http.Problem;
    return `${status} ${code} ${field}`;
  };
  expect(await refusal({ max_nodes: '0' })).toBe('400 bad_limit max_nodes');
  expect(await refusal({ max_depth: '-1' })).toBe('400 bad_limit max_depth');
  expect(await refusal({ node: 'ffffffffffffffff' })).toBe('404 no_such_node node');
  expect(await refusal({ path: '["nowhere"]' })).toBe('404 no_such_node path');
  expect(await refusal({ path: 'main' })).toBe('400 bad_path path');
});
