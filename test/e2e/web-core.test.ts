// The page on a tree of 100,000 nodes: what it draws against the server's samples, counted here in another way, and against go tool pprof.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { decodeProfile, decodeTree, type Profile, TREE_MEDIA_TYPE } from '@everflame/profile';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Tree, treeOf } from '../../web/src/data/tree-columns.ts';
import { layOut, membersOf } from '../../web/src/tree/layout.ts';
import { widthsOf } from '../../web/src/tree/order.ts';
import { PathIds } from '../../web/src/tree/path-id.ts';
import { findMatches, parsePattern } from '../../web/src/tree/search.ts';
import { sumOf } from '../../web/src/tree/sums.ts';
import { bigTreeProfiles } from '../load/big-tree.ts';
import { goPprof } from '../load/go-pprof.ts';
import { Random } from '../load/random.ts';
import { isLong } from '../support/long.ts';
import { pageViews, type PageView } from '../support/page-acts.ts';
import { closePages, launchBrowser, openSettled, settled } from '../support/page-browser.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';
import { longestTask } from '../support/page-tasks.ts';

const query = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="checkout"}';
const atMs = Date.parse('2026-03-05T10:00:00Z');
const range = { from: String(atMs - 60_000), until: String(atMs + 60_000) };

let server: PageServer;
let browser: Browser;
let dir: string;
let tree: Tree;
let profile: Profile;
let transferred: number;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'everflame-core-'));
  server = await startPageServer();
  for (const bytes of bigTreeProfiles(9600, atMs)) {
    const response = await fetch(`${server.url}/api/v1/profiles?service_name=checkout&service_version=1.0.0`, {
      method: 'POST',
      body: gzipSync(bytes),
    });
    if (response.status !== 202) throw new Error(await response.text());
  }
  const parameters = new URLSearchParams({ query, ...range }).toString();
  const answer = await fetch(`${server.url}/api/v1/flamegraph?${parameters}`, { headers: { accept: TREE_MEDIA_TYPE } });
  const decoded = decodeTree(new Uint8Array(await answer.arrayBuffer()));
  if (!decoded.ok) throw new Error(decoded.message);
  tree = treeOf(decoded.tree);
  const file = Buffer.from(await (await fetch(`${server.url}/api/v1/pprof?${parameters}`)).arrayBuffer());
  writeFileSync(join(dir, 'all.pb.gz'), file);
  const result = decodeProfile(maybeGunzipped(file));
  if (!result.ok) throw new Error(result.error.message);
  profile = result.profile;
  browser = await launchBrowser();
});
afterEach(async () => closePages(browser));
afterAll(async () => {
  await browser.close();
  await server.close();
  rmSync(dir, { recursive: true });
});

/** Totals by path of names, counted from the samples of the download: the judge of all that is drawn. */
function totalsByPath(): Map<string, bigint> {
  const { samples, stacks, locations, functions, strings, sampleTypes } = profile;
  const type = sampleTypes.findIndex(({ unit }) => unit === 'nanoseconds');
  const totals = new Map<string, bigint>();
  for (let row = 0; row < samples.length; row++) {
    const value = samples.values[row * sampleTypes.length + type] ?? 0n;
    const names: string[] = [];
    for (let stack = samples.stack[row] ?? 0; stack !== 0; stack = stacks.parent[stack] ?? 0) {
      const location = stacks.location[stack] ?? 0;
      // Innermost inlined first.
      for (let line = locations.lineOffset[location] ?? 0; line < (locations.lineOffset[location + 1] ?? 0); line++)
        names.push(strings[functions.nameString[locations.lineFunction[line] ?? 0] ?? 0] ?? '');
    }
    let path = '';
    for (const name of names.reverse()) {
      path += `\0${name}`;
      totals.set(path, (totals.get(path) ?? 0n) + value);
    }
  }
  return totals;
}

test('1,000 random zooms: what is drawn and what is gathered is exactly what the samples say', () => {
  expect(tree.length).toBeGreaterThan(90_000);
  const totals = totalsByPath();
  const widths = widthsOf(tree.weights);
  const paths = [''];
  for (let node = 1; node < tree.length; node++)
    paths.push(`${paths[tree.parent[node] ?? 0]}\0${tree.frames.name[tree.frame[node] ?? 0]}`);
  const random = new Random(7);
  let [drawn, gathered] = [0, 0];
  for (let zoom = 0; zoom < 1000; zoom++) {
    // Half of the zooms as people zoom, into what is wide.
    const node = zoom % 2 === 0 ? random.below(tree.length) : Math.floor(tree.length * random.next() ** 6);
    const layout = layOut(tree, widths, { node, rest: 0 }, 1200);
    const below = layout.rows.map(() => 0n);
    for (const [index, row] of layout.rows.entries()) {
      if (index === 0 || row.isAncestor) continue;
      if (row.rest === 0) {
        const total = totals.get(paths[row.node] ?? '');
        if (tree.weights.total[row.node] !== total) throw new Error(`${paths[row.node]} is drawn as another value`);
        below[row.parent] = (below[row.parent] ?? 0n) + (total ?? 0n);
        drawn++;
      } else {
        const members = membersOf(tree, widths, row);
        if (members.length !== row.rest) throw new Error('a remainder stands for another number of functions');
        below[row.parent] = (below[row.parent] ?? 0n) + sumOf(tree.weights, members).total;
        gathered += members.length;
      }
    }
    for (const [index, row] of layout.rows.entries()) {
      if (row.isAncestor || row.rest > 0 || row.node === 0) continue;
      const sum = (below[index] ?? 0n) + (tree.weights.self[row.node] ?? 0n);
      if (sum !== totals.get(paths[row.node] ?? '')) throw new Error(`${paths[row.node]} does not add up`);
    }
  }
  expect(drawn).toBeGreaterThan(10_000);
  expect(gathered).toBeGreaterThan(10_000);
});

/** `Showing nodes accounting for 12.3s, 45% of 27s total` says too little; the raw sum of the samples that stay says it all. */
async function pprofFocus(focus: string): Promise<bigint> {
  const output = join(dir, 'focused.pb');
  await goPprof(['-proto', `-focus=${focus}`, `-output=${output}`, join(dir, 'all.pb.gz')], dir);
  const { readFileSync } = await import('node:fs');
  const result = decodeProfile(maybeGunzipped(readFileSync(output)));
  if (!result.ok) throw new Error(result.error.message);
  const { samples, sampleTypes } = result.profile;
  const type = sampleTypes.findIndex(({ unit }) => unit === 'nanoseconds');
  let sum = 0n;
  for (let row = 0; row < samples.length; row++) sum += samples.values[row * sampleTypes.length + type] ?? 0n;
  return sum;
}

function maybeGunzipped(file: Uint8Array): Uint8Array {
  return file[0] === 0x1f ? gunzipSync(file) : file;
}

test.each(['Invoice', 'parse|encode', String.raw`\.func[12]$`, 'internal/(cart|order)'])(
  'the union of a search for %s is what go tool pprof -focus keeps of the download',
  async (text) => {
    const pattern = parsePattern(text);
    if (!pattern.ok) throw new Error(pattern.message);
    const { union } = findMatches(tree, tree.weights, [0], pattern.test);
    expect(union.total).toBe(await pprofFocus(pattern.source));
  },
);

test('where files or binaries match, the browser shows what go tool pprof -focus keeps', async () => {
  for (const search of ['libc']) {
    const pattern = parsePattern(search);
    if (!pattern.ok) throw new Error(pattern.message);
    const { page } = await openSettled(browser, server.url, '/flamegraph', { query, ...range, search });
    const said = await page.locator('.search-result').getAttribute('title');
    expect([search, said]).toEqual([search, ns(await pprofFocus(pattern.source))]);
  }
});

const title = async (page: Page) =>
  page.locator('.panel > .summary span[title$=" nanoseconds"]').first().getAttribute('title');
const ns = (value: bigint | undefined) => `${(value ?? 0n).toLocaleString('en')} nanoseconds`;

test('a tree of 100,000 nodes: small on the wire, decoded beside the page, exact at every zoom in the browser', async () => {
  const { page, complaints } = await openSettled(browser, server.url, '/', range);
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const sizes = new Map<string, number>();
  const urls = new Map<string, string>();
  session.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    sizes.set(urls.get(requestId) ?? '', encodedDataLength),
  );
  await page.goto(`${server.url}/flamegraph?${new URLSearchParams({ query, ...range }).toString()}`);
  await settled(page);
  transferred = Math.max(...[...sizes].filter(([url]) => url.includes('/api/v1/flamegraph')).map(([, size]) => size));
  expect(transferred).toBeGreaterThan(10_000);
  expect(transferred).toBeLessThan(1.5e6);
  expect(await title(page)).toBe(ns(tree.weights.total[0]));
  // What is drawn is what a layout of that width has, remainders that are no pixel wide aside.
  const width = (await page.locator('.flame-host').boundingBox())?.width ?? 0;
  const layout = layOut(tree, widthsOf(tree.weights), { node: 0, rest: 0 }, Math.floor(width));
  const frames = await page.locator('g.frame').count();
  expect(frames).toBeGreaterThanOrEqual(layout.frames);
  expect(frames).toBeLessThanOrEqual(layout.frames + layout.remainders);
  const ids = new PathIds(tree);
  const random = new Random(11);
  for (let zoom = 0; zoom < 12; zoom++) {
    const node = Math.floor(tree.length * random.next() ** 4);
    const url = new URL(page.url());
    url.searchParams.set('zoom', ids.idOf(node));
    await page.evaluate(
      `history.pushState(null, '', ${JSON.stringify(url.href)}); dispatchEvent(new PopStateEvent('popstate'))`,
    );
    await settled(page);
    expect(await title(page)).toBe(ns(tree.weights.total[node]));
  }
  expect(complaints).toEqual([]);
});

/** Whatever is slower is slower each time; what shares a core with the page is not. */
const tries = 5;

/** When a task could take 100 ms of CPU, the yardstick took 106 to 211 on the machine that this was set on, and the longest tasks of heavy views 77 to 147. */
const mostYardsticks = 1;

/** The longest task in yardsticks, by its CPU, at the best of some tries. */
async function leastOfTries(path: string, act?: PageView['act']): Promise<number> {
  let best = Infinity;
  for (let attempt = 0; attempt < tries && best > mostYardsticks; attempt++) {
    const { cpuMs, yardstickMs } = await longestTask(browser, server.url + path, act);
    best = Math.min(best, cpuMs / yardstickMs);
  }
  return best;
}

test('no task takes longer than a fixed one of some 100 ms of CPU, on the heaviest pages, in the heaviest views of 100,000 nodes and whatever is done there', async () => {
  const longest: Record<string, number> = {};
  for (const { name, parameters, act } of pageViews.filter((view) => isLong || view.isHeavy === true)) {
    const path = `/flamegraph?${new URLSearchParams({ query, ...range, ...parameters }).toString()}`;
    longest[name] = await leastOfTries(path, act);
  }
  for (const path of isLong ? ['/', '/findings', '/health', '/deployments', '/compare', '/upload'] : ['/', '/compare'])
    longest[path] = await leastOfTries(path);
  console.log('longest tasks, in yardsticks:', JSON.stringify(longest));
  expect(Object.entries(longest).filter(([, yardsticks]) => yardsticks > mostYardsticks)).toEqual([]);
});

test('what the server held back is loaded when it is zoomed to, and is exact then', async () => {
  const { page, complaints } = await openSettled(browser, server.url, '/flamegraph', { query, ...range, nodes: '60' });
  await page.getByText('gathered, exactly, under their callers').waitFor();
  const whole = await title(page);
  expect(whole).toBe(ns(tree.weights.total[0]));
  const held = page.locator('g.frame[name*=" more function"]');
  const before = await held.count();
  expect(before).toBeGreaterThan(3);
  // The deepest one that is wide enough to be read.
  await held.last().click();
  await page.waitForURL(/zoom=/u);
  await settled(page);
  const zoomed = new URL(page.url()).searchParams.get('zoom') ?? '';
  const node = new PathIds(tree).nodeOf(zoomed);
  if (node === null) throw new Error('the zoom is nowhere in the whole tree');
  expect(await title(page)).toBe(ns(tree.weights.total[node]));
  await page.getByText('gathered, exactly, under their callers').waitFor({ state: 'detached' });
  const width = (await page.locator('.flame-host').boundingBox())?.width ?? 0;
  const layout = layOut(tree, widthsOf(tree.weights), { node, rest: 0 }, Math.floor(width));
  expect(await page.locator('g.frame').count()).toBeGreaterThanOrEqual(layout.frames);
  await page.keyboard.press('Escape');
  await settled(page);
  expect(await held.count()).toBeLessThan(before);
  await page.getByRole('button', { name: 'Load all of them' }).click();
  await page.getByText('gathered, exactly, under their callers').waitFor({ state: 'detached' });
  await settled(page);
  expect(await held.count()).toBe(0);
  expect(await title(page)).toBe(whole);
  expect(complaints).toEqual([]);
});

test.each(['/', '/flamegraph', '/compare'])(
  '%s loads at most 200 kB of compressed script, all from its own origin',
  async (path) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const scripts: string[] = [];
    const hosts = new Set<string>();
    context.on('request', (request) => {
      const { host, pathname } = new URL(request.url());
      hosts.add(host);
      // A worker and its parts count as well.
      if (pathname.endsWith('.js')) scripts.push(request.url());
    });
    await page.goto(server.url + path);
    await settled(page);
    const bytes = await Promise.all(
      [...new Set(scripts)].map(async (url) => gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length),
    );
    expect(bytes.length).toBeGreaterThan(path === '/flamegraph' ? 2 : 1);
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(200_000);
    expect([...hosts]).toEqual([new URL(server.url).host]);
    await context.close();
  },
);
