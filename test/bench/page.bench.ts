/**
 * How fast the page is on big trees, in real Chromium against a real server. `npm run bench:page -- [--nodes 100000,1000000]
 * [--zooms 30]`. Beside it the whole tree is fed to d3-flame-graph with its own option for small frames, and the same profile is opened in
 * speedscope. Timings are noisy on a shared machine: read ratios.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { decodeTree, TREE_MEDIA_TYPE } from '@everflame/profile';
import { createServer } from '@everflame/server';
import type { Browser } from 'playwright-core';
import { buildWeb } from '../../scripts/build-web.mjs';
import { bigTreeProfiles } from '../load/big-tree.ts';
import { cpuMs } from '../load/process-cost.ts';
import { pageViews } from '../support/page-acts.ts';
import { launchBrowser, settled } from '../support/page-browser.ts';
import {
  anonymousMb,
  clickToPictureMs,
  firstPictureMs,
  inPage,
  keyToPictureMs,
  longTasks,
  measureIn,
  rendererPid,
} from '../support/page-speed.ts';
import { longestTask, type LongestTask } from '../support/page-tasks.ts';
import { speedscopeFirstMs } from '../support/speedscope-page.ts';
import { treeOf } from '../../web/src/data/tree-columns.ts';
import { speedscopeText } from '../../web/src/tree/exports.ts';

const { values: flags } = parseArgs({
  options: { nodes: { type: 'string', default: '100000,1000000' }, zooms: { type: 'string', default: '30' } },
});
const zooms = Number(flags.zooms);
const taskTries = 5;
const query = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="checkout"}';
/** Measured: a merged tree has so many nodes for each stack. */
const nodesPerStack = 10.6;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function line(name: string, value: string): void {
  console.log(`  ${name.padEnd(52)} ${value}`);
}

async function measurePage(browser: Browser, url: string): Promise<{ first: number; zoom: number }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await measureIn(page);
  await page.goto(url);
  const first = await firstPictureMs(page);
  await settled(page);
  line('first picture after the bytes arrived', `${first.toFixed(0)} ms`);
  line('frames drawn', String(await page.locator('.flame-box g.frame').count()));
  const pid = await rendererPid(page);
  const zoomMs: number[] = [];
  const cpuBefore = cpuMs(pid);
  for (let i = 0; i < zooms; i++) {
    const took = await clickToPictureMs(page, i * 7 + 1);
    if (took !== null) zoomMs.push(took);
    const back = i % 3 === 2 ? await keyToPictureMs(page, 'r') : null;
    if (back !== null) zoomMs.push(back);
    await settled(page);
  }
  const zoom = median(zoomMs);
  const cpu = (cpuMs(pid) - cpuBefore) / zoomMs.length;
  line('zoom, median', `${zoom.toFixed(0)} ms of ${zoomMs.length}`);
  // All threads of the renderer, the waiting of the test and painting without a graphics card included.
  line('CPU of the renderer for a zoom, mean', `${cpu.toFixed(0)} ms`);
  await page.keyboard.press('Escape');
  await settled(page);
  await page.getByLabel('Search functions').fill('parse|encode');
  await page.getByRole('button', { name: 'Next match' }).waitFor();
  await settled(page);
  await page.evaluate('document.activeElement?.blur()');
  const steps: number[] = [];
  for (let i = 0; i < Math.min(zooms, 15); i++) {
    const step = await keyToPictureMs(page, 'n');
    if (step !== null) steps.push(step);
    await settled(page);
  }
  line('search step, median', `${median(steps).toFixed(0)} ms of ${steps.length}`);
  line('memory of the renderer process', `${anonymousMb(pid).toFixed(0)} MB`);
  const tasks = (await longTasks(page)).filter((ms) => ms > 100);
  line(
    'tasks above 100 ms',
    `${tasks.length}${tasks.length === 0 ? '' : `: ${tasks.map((ms) => ms.toFixed(0)).join(', ')} ms`}`,
  );
  await context.close();
  return { first, zoom };
}

/** Of each view and of what is done there, in a page of its own each time: the longest task on the wall, and the longest by its CPU. */
async function measureTasks(browser: Browser, url: string): Promise<void> {
  for (const { name, parameters, act } of pageViews) {
    const longest: LongestTask[] = [];
    for (let attempt = 0; attempt < taskTries; attempt++)
      longest.push(await longestTask(browser, `${url}&${new URLSearchParams(parameters).toString()}`, act));
    const sorted = longest.toSorted((a, b) => a.wallMs - b.wallMs);
    line(
      `longest task, ${name}: on the wall (by CPU)`,
      `${sorted.map((task) => `${task.wallMs.toFixed(0)} (${task.cpuMs.toFixed(0)})`).join(', ')} ms`,
    );
  }
}

/** From the start of the navigation to the first service in the overview, on a browser without anything cached. */
async function measureOverview(browser: Browser, server: string): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await measureIn(page);
  await page.goto(server);
  await page.locator('.service-name').first().waitFor();
  line('overview shows its services after', `${(await page.evaluate(() => performance.now())).toFixed(0)} ms`);
  const tasks = (await longTasks(page)).filter((ms) => ms > 100);
  line('tasks above 100 ms meanwhile', String(tasks.length));
  await context.close();
}

/** d3-flame-graph as it is published, with its own transitions, as one script. */
async function bundledFlamegraph(): Promise<string> {
  const root = fileURLToPath(new URL('../../web/', import.meta.url));
  const { build } = (await import(new URL('../../web/node_modules/vite/dist/node/index.js', import.meta.url).href)) as {
    build: (config: unknown) => Promise<readonly { output: readonly { code?: string }[] }[]>;
  };
  const id = `${root}src/whole-tree.js`;
  const entry = {
    name: 'whole-tree',
    resolveId: (asked: string) => (asked === id ? id : null),
    load: (asked: string) =>
      asked === id
        ? `export { default as flamegraph } from 'd3-flame-graph'; export { select } from 'd3-selection';`
        : null,
  };
  const lib = { entry: id, formats: ['iife'], name: 'whole', fileName: 'whole' };
  const built = await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [entry],
    build: { write: false, lib },
  });
  const code = built[0]?.output[0]?.code;
  if (code === undefined) throw new Error('d3-flame-graph was not bundled');
  return code;
}

/** The whole tree as nested objects, as d3-flame-graph takes it. */
async function measureWhole(browser: Browser, url: string): Promise<{ first: number; zoom: number }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.setContent('<div id="chart"></div>');
  await page.addScriptTag({ content: await bundledFlamegraph() });
  await page.addScriptTag({ path: inPage });
  const response = await fetch(url, { headers: { accept: TREE_MEDIA_TYPE } });
  const decoded = decodeTree(new Uint8Array(await response.arrayBuffer()));
  if (!decoded.ok) throw new Error(decoded.message);
  const { tree } = decoded;
  const columns = {
    parent: Array.from(tree.parent),
    row: Array.from(tree.frame),
    names: tree.frames.name,
    value: Array.from(tree.total, Number),
  };
  const result = await page.evaluate<{ first: number; zoom: number }>(
    `everflameTest.wholeTree(${JSON.stringify(columns)})`,
  );
  await context.close();
  return result;
}

await buildWeb();
for (const wanted of flags.nodes.split(',').map(Number)) {
  const dataDir = mkdtempSync(join(tmpdir(), 'everflame-bench-page-'));
  const server = await createServer({
    listen: { host: '127.0.0.1', port: 0 },
    dataDir,
    webRoot: fileURLToPath(new URL('../../web/dist', import.meta.url)),
  });
  const browser = await launchBrowser({ isWhole: true });
  try {
    for (const bytes of bigTreeProfiles(Math.round(wanted / nodesPerStack), Date.now() - 60_000)) {
      const response = await fetch(`${server.url}/api/v1/profiles?service_name=checkout&service_version=1.0.0`, {
        method: 'POST',
        body: gzipSync(bytes),
      });
      if (response.status !== 202) throw new Error(await response.text());
    }
    const parameters = new URLSearchParams({ query, from: 'now-10m', until: 'now' });
    const treeUrl = `${server.url}/api/v1/flamegraph?${parameters.toString()}`;
    const tree = await fetch(treeUrl, { headers: { accept: TREE_MEDIA_TYPE, 'accept-encoding': 'identity' } });
    const decoded = decodeTree(new Uint8Array(await tree.arrayBuffer()));
    if (!decoded.ok) throw new Error(decoded.message);
    console.log(`\n${decoded.tree.parent.length} nodes, ${decoded.tree.frames.name.length} functions`);
    await measureOverview(browser, server.url);
    const ours = await measurePage(browser, `${server.url}/flamegraph?${parameters.toString()}`);
    await measureTasks(browser, `${server.url}/flamegraph?${parameters.toString()}`);
    const whole = await measureWhole(browser, treeUrl).catch((error: unknown) => {
      line('d3-flame-graph, whole tree', `failed: ${String(error).split('\n')[0]}`);
      return null;
    });
    const peer = await speedscopeFirstMs(
      browser,
      speedscopeText(treeOf(decoded.tree), [0], 'checkout', 'nanoseconds'),
    ).catch((error: unknown) => {
      line('speedscope, the same profile', `failed: ${String(error).split('\n')[0]}`);
      return null;
    });
    if (peer !== null) {
      line(
        'speedscope: first picture after the bytes arrived',
        `${peer.toFixed(0)} ms, ${(peer / ours.first).toFixed(1)} times ours`,
      );
    }
    if (whole === null) continue;
    line(
      'd3-flame-graph given the whole tree: first',
      `${whole.first.toFixed(0)} ms, ${(whole.first / ours.first).toFixed(1)} times ours`,
    );
    line(
      'd3-flame-graph given the whole tree: zoom',
      `${whole.zoom.toFixed(0)} ms, ${(whole.zoom / ours.zoom).toFixed(1)} times ours`,
    );
  } finally {
    await browser.close();
    await server.close();
    rmSync(dataDir, { recursive: true });
  }
}
