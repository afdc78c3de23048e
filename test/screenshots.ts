/**
 * `npm run screenshots`: the README's pictures, and every page full, empty and failing, light and dark, wide and narrow, of a drawn
 * fleet on a real server in real Chromium. `npm run screenshots -- --all FOLDER [--only REGEX]` writes those; without it only the
 * README's.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { postFleet } from './support/drawn-fleet.ts';
import { launchBrowser, openPage, type OpenOptions, openSettled, settled } from './support/page-browser.ts';
import { startPageServer } from './support/page-server.ts';

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

const server = await startPageServer();
const browser = await launchBrowser();
try {
  await postFleet(server.url, 30, 0.3);
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
