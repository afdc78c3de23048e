/**
 * `npm run screenshots`: the README's pictures, and every page full, empty and failing, light and dark, wide and narrow, of a drawn
 * fleet on a real server in real Chromium. `npm run screenshots -- --all FOLDER [--only REGEX]` writes those; without it only the
 * README's.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { Browser, Page } from 'playwright-core';
import { getJson } from './support/api.ts';
import { postFleet, postProfile } from './support/drawn-fleet.ts';
import { postRelease } from './support/drawn-release.ts';
import { launchBrowser, openPage, type OpenOptions, openSettled, settled } from './support/page-browser.ts';
import { startPageServer } from './support/page-server.ts';
import { waitFor } from './support/wait-for.ts';

const { values: flags } = parseArgs({ options: { all: { type: 'string' }, only: { type: 'string', default: '' } } });
const only = new RegExp(flags.only, 'u');

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly options?: OpenOptions;
  /** What is done before the picture is taken. */
  readonly pose?: (page: Page) => Promise<void>;
}

const shop = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="shop"}';
const invoices = '{service_name="invoices"}';
const folded = 'main;parse;readToken 40\nmain;parse 25\nmain;render;measure 90\nmain;render;paint 35\n';
const files = [
  { name: 'before.folded', mimeType: 'text/plain', buffer: Buffer.from(folded) },
  { name: 'after.folded', mimeType: 'text/plain', buffer: Buffer.from(folded.replace('90', '150')) },
];
const choose = async (page: Page) => {
  await page.getByLabel('Choose profiles').setInputFiles(files);
  await settled(page);
};

const readme: readonly Shot[] = [
  { name: 'overview', path: '/', options: { height: 620, width: 1280 } },
  {
    name: 'flamegraph',
    path: '/flamegraph',
    parameters: { query: shop },
    options: { height: 860, width: 1280, colorScheme: 'dark' },
    pose: async (page) => page.locator('g.frame[name="renderInvoice"]').hover(),
  },
  { name: 'compare', path: '/compare', parameters: { service: 'shop' }, options: { height: 860, width: 1280 } },
];

const full: readonly Shot[] = [
  { name: 'overview', path: '/' },
  { name: 'explore', path: '/flamegraph', parameters: { query: shop } },
  {
    name: 'explore-split-search',
    path: '/flamegraph',
    parameters: { by: 'service_name', search: 'read|write', colours: 'binary' },
  },
  {
    name: 'explore-flame-up',
    path: '/flamegraph',
    parameters: { query: shop, grow: 'up', show: 'graph', colours: 'heat', focus: 'handleRequest' },
  },
  { name: 'explore-tree', path: '/flamegraph', parameters: { query: shop, show: 'tree' } },
  { name: 'explore-sandwich', path: '/flamegraph', parameters: { query: shop, show: 'sandwich', fn: 'renderInvoice' } },
  { name: 'explore-source', path: '/flamegraph', parameters: { query: invoices, show: 'source', fn: 'escapeHtml' } },
  {
    name: 'explore-lines',
    path: '/flamegraph',
    parameters: { query: invoices, frames: 'line' },
    pose: async (page) => {
      await page.locator('g.frame').last().hover();
      await page.getByText('build ID').first().waitFor();
    },
  },
  {
    name: 'explore-menu',
    path: '/flamegraph',
    parameters: { query: shop },
    pose: async (page) => page.locator('g.frame[name="renderInvoice"]').click({ button: 'right' }),
  },
  {
    name: 'explore-view',
    path: '/flamegraph',
    parameters: { query: shop },
    pose: async (page) => page.getByText('View', { exact: true }).click(),
  },
  {
    name: 'explore-download',
    path: '/flamegraph',
    parameters: { query: shop },
    pose: async (page) => page.getByText('Download', { exact: true }).click(),
  },
  {
    name: 'palette',
    path: '/flamegraph',
    parameters: { query: shop },
    pose: async (page) => page.getByRole('button', { name: 'Actions' }).click(),
  },
  { name: 'compare', path: '/compare', parameters: { service: 'shop' } },
  {
    name: 'compare-ranges',
    path: '/compare',
    parameters: {
      service: 'shop',
      how: 'ranges',
      before_from: 'now-28m',
      before_until: 'now-18m',
      after_from: 'now-12m',
      after_until: 'now-2m',
      values: 'amounts',
      width: 'both',
    },
  },
  { name: 'findings', path: '/findings' },
  {
    name: 'finding-compared',
    path: '/findings',
    pose: async (page) => {
      await page.locator('.finding a').first().click();
      await settled(page);
    },
  },
  { name: 'deployments', path: '/deployments' },
  { name: 'collection', path: '/collection' },
  { name: 'files', path: '/upload', pose: choose },
  { name: 'files-compare', path: '/upload', parameters: { compare: 'yes' }, pose: choose },
];
const paths = ['/', '/flamegraph', '/compare', '/findings', '/deployments', '/collection', '/upload'];
const looks: readonly { readonly name: string; readonly options: OpenOptions }[] = [
  { name: 'wide-light', options: { width: 1440, height: 950 } },
  { name: 'wide-dark', options: { width: 1440, height: 950, colorScheme: 'dark' } },
  { name: 'narrow-light', options: { width: 360, height: 800 } },
  { name: 'narrow-dark', options: { width: 360, height: 800, colorScheme: 'dark' } },
];
const empty: readonly Shot[] = paths.map((path) => ({
  name: `empty${path === '/' ? '-overview' : path.replace('/', '-')}`,
  path,
}));

/** A service of which lines are known: in the shop's own sources. */
async function postLines(url: string): Promise<void> {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }],
    timeNanos: BigInt(Date.now() - 60_000) * 1_000_000n,
  });
  const mapping = builder.mapping({ file: '/srv/shop/shop', buildId: '5f1c0b52a9e07d44' });
  const places = [
    'answer service.mjs',
    'renderInvoice invoice.mjs',
    'escapeHtml invoice.mjs',
    'renderLine invoice.mjs',
  ];
  const at = (above: number, place: number, ...lines: readonly bigint[]) => {
    const frames = lines.map((line, inner) => {
      const [name = '', file = ''] = (places[place + lines.length - 1 - inner] ?? '').split(' ');
      return { function: builder.function({ name, file: `/srv/shop/${file}` }), line };
    });
    return builder.stack(above, builder.location({ mapping, address: lines[0] ?? 0n, lines: frames }));
  };
  const root = at(0, 0, 52n);
  builder.add(at(root, 1, 97n), 0, [900_000_000n]);
  for (const [line, ms] of [
    [7n, 420n],
    [9n, 260n],
    [12n, 1900n],
  ] as const) {
    builder.add(at(root, 1, line, 104n), 0, [ms * 1_000_000n]);
  }
  await postProfile(url, encodeProfile(builder.build()), { service_name: 'invoices', __name__: 'process_cpu' });
}

/** Until the server has looked for findings. */
async function firstPass(url: string): Promise<void> {
  await waitFor('the server to look', async () => {
    const { watch } = await getJson<http.FindingsAnswer>(url, '/api/v1/findings', {});
    return watch.lastPassAt === null ? undefined : true;
  });
}

async function take(browser: Browser, server: string, folder: string, shot: Shot): Promise<void> {
  const { name, path, parameters = {}, options = {}, pose } = shot;
  if (!only.test(name)) return;
  const { page, complaints } = await openSettled(browser, server, path, parameters, options);
  await pose?.(page);
  if (complaints.length > 0) throw new Error(`${path}: ${complaints.join('\n')}`);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.context().close();
  console.log(join(folder, `${name}.png`));
}

/** Every request of data fails. */
async function takeFailing(
  browser: Browser,
  server: string,
  folder: string,
  path: string,
  look: (typeof looks)[number],
): Promise<void> {
  const name = `failing${path === '/' ? '-overview' : path.replace('/', '-')}-${look.name}`;
  if (!only.test(name)) return;
  const { page } = await openPage(browser, 'about:blank', look.options);
  await page.route('**/api/v1/**', (route) => route.abort());
  await page.goto(server + path);
  await settled(page);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.context().close();
}

const server = await startPageServer({
  sourceRoots: [{ prefix: '/srv/shop', dir: fileURLToPath(new URL('../examples/shop', import.meta.url)) }],
  async fill(url) {
    await postFleet(url, 30, 0.3);
    if (flags.all === undefined) return;
    await postRelease(url, { service: 'checkout', hosts: 6, updated: 6, minutes: 24 });
    await postRelease(url, { service: 'search', hosts: 12, updated: 6, minutes: 40 });
    await postLines(url);
  },
});
const browser = await launchBrowser({ isWhole: true });
try {
  if (flags.all !== undefined) await firstPass(server.url);
  if (flags.all === undefined) {
    const folder = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
    await mkdir(folder, { recursive: true });
    for (const shot of readme) await take(browser, server.url, folder, shot);
  } else {
    await mkdir(flags.all, { recursive: true });
    for (const look of looks) {
      for (const shot of full)
        await take(browser, server.url, flags.all, {
          ...shot,
          name: `${shot.name}-${look.name}`,
          options: look.options,
        });
      for (const path of paths) await takeFailing(browser, server.url, flags.all, path, look);
    }
    const other = await startPageServer();
    try {
      for (const look of looks)
        for (const shot of empty)
          await take(browser, other.url, flags.all, {
            ...shot,
            name: `${shot.name}-${look.name}`,
            options: look.options,
          });
    } finally {
      await other.close();
    }
  }
} finally {
  await browser.close();
  await server.close();
}
