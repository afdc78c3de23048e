import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { encodeProfile } from '@everflame/profile';
import { profileFromText } from '@everflame/profile/testing';
import type { http } from '@everflame/protocols';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { postFleet } from '../support/drawn-fleet.ts';
import { closePages, drawnNames, launchBrowser, openSettled, settled } from '../support/page-browser.ts';
import { seriousFaults } from '../support/page-checks.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';
import { layoutShift, measureIn } from '../support/page-speed.ts';

const cpu = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
const query = `${cpu}{service_name="shop"}`;
let server: PageServer;
let browser: Browser;
let range: { from: string; until: string };

beforeAll(async () => {
  server = await startPageServer();
  const nowMs = Date.now();
  await postFleet(server.url, 12, 0, nowMs);
  range = { from: String(nowMs - 20 * 60_000), until: String(nowMs) };
  browser = await launchBrowser();
});
afterEach(async () => closePages(browser));
afterAll(async () => {
  await browser.close();
  await server.close();
});

const explore = async (parameters: Readonly<Record<string, string>> = {}) =>
  openSettled(browser, server.url, '/flamegraph', { query, ...range, ...parameters });
const frame = (page: Page, name: string) => page.locator('g.frame').filter({ hasText: new RegExp(`^${name}$`, 'u') });
const shownValue = async (page: Page) =>
  page.locator('.panel > .summary span[title$=" nanoseconds"]').first().getAttribute('title');
const total = async (parameters: Readonly<Record<string, string>>) => {
  const { total: ns } = await getJson<http.TopAnswer>(server.url, '/api/v1/top', { query, ...range, ...parameters });
  return `${BigInt(ns).toLocaleString('en')} nanoseconds`;
};
async function choose(page: Page, name: string, action: RegExp): Promise<void> {
  await frame(page, name).first().click({ button: 'right' });
  await page.getByRole('menuitem', { name: action }).click();
  await settled(page);
}

test('focus, ignore and hide from the menu of a frame are the filters of pprof, in the URL, and leave as chips', async () => {
  const { page, complaints } = await explore();
  await choose(page, 'renderInvoice', /^Focus/u);
  expect(new URL(page.url()).searchParams.get('focus')).toBe('^renderInvoice$');
  expect(await shownValue(page)).toBe(await total({ focus: '^renderInvoice$' }));
  expect(await drawnNames(page)).not.toContain('searchCatalogue');
  await choose(page, 'layoutLines', /^Hide/u);
  expect(await drawnNames(page)).not.toContain('layoutLines');
  expect(await drawnNames(page)).toContain('measureText');
  await choose(page, 'measureText', /^Ignore/u);
  const filters = { focus: '^renderInvoice$', hide: '^layoutLines$', ignore: '^measureText$' };
  expect(await shownValue(page)).toBe(await total(filters));
  const command = page.locator('.menu code');
  await page.getByText('Download', { exact: true }).click();
  const href = /'(?<href>[^']+)'$/u.exec((await command.textContent()) ?? '')?.groups?.['href'] ?? '';
  expect(Object.fromEntries(new URL(href).searchParams)).toEqual({ query, ...range, ...filters });
  for (const name of ['focus', 'ignore', 'hide']) {
    await page.getByRole('button', { name: `Remove ${name}` }).click();
    await settled(page);
  }
  expect(await shownValue(page)).toBe(await total({}));
  expect(complaints).toEqual([]);
});

test('inverted, by binary, libraries grouped, with the root at the bottom: the same sum in other frames', async () => {
  const whole = await total({});
  const inverted = await explore({ order: 'callers', show: 'graph' });
  expect(await shownValue(inverted.page)).toBe(whole);
  const top = await getJson<http.TopAnswer>(server.url, '/api/v1/top', { query, ...range });
  // It calls nothing, so it stands nowhere but at the first level.
  const leaf = top.functions.find(({ name }) => name === 'measureText');
  await frame(inverted.page, 'measureText').click();
  await inverted.page.waitForURL(/zoom=/u);
  await settled(inverted.page);
  expect(await shownValue(inverted.page)).toBe(`${BigInt(leaf?.self ?? '0').toLocaleString('en')} nanoseconds`);
  const binary = await explore({ frames: 'binary', grow: 'up' });
  expect(await shownValue(binary.page)).toBe(whole);
  expect(new Set(await drawnNames(binary.page))).toEqual(
    new Set(['all', 'node', 'anon', '[kernel.kallsyms]', 'libc.so.6']),
  );
  const root = await frame(binary.page, 'all').boundingBox();
  const first = await frame(binary.page, 'node').first().boundingBox();
  expect(root !== null && first !== null && root.y > first.y).toBe(true);
  const rows = await binary.page.getByRole('region', { name: 'Functions' }).locator('.function-name').allTextContents();
  expect(rows).toContain('node');
  expect([...inverted.complaints, ...binary.complaints]).toEqual([]);
});

test('the sandwich shows callers and callees, the tree table opens by keys', async () => {
  const { page, complaints } = await explore({ show: 'sandwich', fn: 'layoutLines' });
  await page.getByRole('heading', { name: 'Who calls it' }).waitFor();
  await settled(page);
  const names = await drawnNames(page);
  expect(names).toEqual(expect.arrayContaining(['renderInvoice', 'handleRequest', 'measureText']));
  expect(names).not.toContain('searchCatalogue');
  const callers = await getJson<http.CallersAnswer>(server.url, '/api/v1/callers', {
    query,
    ...range,
    function: 'layoutLines',
  });
  await expect(page.locator('.sandwich .summary').textContent()).resolves.toContain(
    `${callers.function.samples.toLocaleString('en')} samples`,
  );
  await page.getByRole('button', { name: 'Tree', exact: true }).click();
  await settled(page);
  const tree = page.getByRole('treegrid', { name: 'Call tree' });
  const before = await tree.getByRole('row').count();
  await page.getByRole('region', { name: 'Call tree' }).focus();
  await page.keyboard.press('ArrowLeft');
  expect(await tree.getByRole('row').count()).toBeLessThan(before);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(/zoom=/u);
  expect(complaints).toEqual([]);
});

test('a search steps through its matches by buttons and keys; the palette does everything', async () => {
  const { page } = await explore({ search: 'tokenize|measureText' });
  await page.getByRole('button', { name: 'Next match' }).click();
  await page.waitForURL(/zoom=/u);
  await settled(page);
  const crumbs = page.getByRole('navigation', { name: 'Zoom' });
  const first = await crumbs.textContent();
  await page.keyboard.press('n');
  await settled(page);
  expect(await crumbs.textContent()).not.toBe(first);
  await page.keyboard.press('p');
  await settled(page);
  expect(await crumbs.textContent()).toBe(first);
  await page.keyboard.press('?');
  await page.getByRole('combobox', { name: 'Find an action' }).fill('invert');
  await page.keyboard.press('Enter');
  await page.waitForURL(/order=callers/u);
});

test('what is shown is saved as folded stacks, speedscope, SVG and PNG', async () => {
  const { page, complaints } = await explore({ focus: 'renderInvoice' });
  await frame(page, 'layoutLines').click();
  await page.waitForURL(/zoom=/u);
  await settled(page);
  await page.getByText('Download', { exact: true }).click();
  const saved = async (button: string) => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: button }).click(),
    ]);
    return readFileSync(await download.path());
  };
  const folded = (await saved('Folded stacks')).toString();
  const sum = folded
    .trim()
    .split('\n')
    .reduce((all, line) => all + BigInt(line.slice(line.lastIndexOf(' ') + 1)), 0n);
  expect(`${sum.toLocaleString('en')} nanoseconds`).toBe(await shownValue(page));
  expect(folded).toMatch(/^_start;main;.*;layoutLines /mu);
  const speedscope = JSON.parse((await saved('speedscope')).toString()) as { profiles: { weights: number[] }[] };
  expect(speedscope.profiles[0]?.weights.reduce((all, one) => all + one, 0)).toBe(Number(sum));
  const svg = (await saved('SVG')).toString();
  expect(svg).toContain('>measureText</text>');
  // Programs other than browsers know no oklch.
  expect(svg).toMatch(/fill="#[0-9a-f]{6}"/u);
  expect(svg).not.toContain('oklch');
  expect((await saved('PNG')).subarray(1, 4).toString()).toBe('PNG');
  expect(complaints).toEqual([]);
});

test('files of other tools are looked at and compared in the browser, without a request, and stored when asked', async () => {
  const { page, complaints } = await openSettled(browser, server.url, '/upload');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const pprof = gzipSync(encodeProfile(profileFromText('main   main\nparse  draw\n= 30   70')));
  await page.getByLabel('Choose profiles').setInputFiles([
    { name: 'old.pb.gz', mimeType: 'application/octet-stream', buffer: pprof },
    {
      name: 'new.pb',
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(encodeProfile(profileFromText('main   main\nparse  <b>draw</b>\n= 30   210'))),
    },
    { name: 'bad.txt', mimeType: 'text/plain', buffer: Buffer.from('nothing that anybody knows') },
  ]);
  await frame(page, 'draw').waitFor();
  await settled(page);
  expect(await drawnNames(page)).toEqual(['all', 'draw', 'main', 'parse']);
  await page.getByRole('button', { name: 'bad.txt', exact: true }).click();
  await page.getByText(/bad\.txt cannot be read: it is none of/u).waitFor();
  await page.getByRole('button', { name: 'Compare the first two' }).click();
  await frame(page, '<b>draw</b>').waitFor();
  await settled(page);
  await page.getByRole('group', { name: 'Width of frames' }).getByRole('button', { name: 'Both' }).click();
  await settled(page);
  expect(await drawnNames(page)).toEqual(['<b>draw</b>', 'all', 'draw', 'main', 'parse']);
  expect(asked.filter((url) => url.includes('/api/'))).toEqual([]);
  await page.getByRole('button', { name: 'old.pb.gz', exact: true }).click();
  await frame(page, 'parse').waitFor();
  await page.getByLabel('Store it as service').fill('from-a-file');
  await page.getByRole('button', { name: 'Store in this server' }).click();
  await page.getByText('Stored as from-a-file.').waitFor();
  expect(complaints).toEqual([]);
});

/** A newcomer has the words on the screen and nothing else. Counts clicks. */
class Newcomer {
  clicks = 0;
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async click(role: 'link' | 'button' | 'menuitem', name: string | RegExp): Promise<void> {
    this.clicks++;
    await this.page.getByRole(role, { name }).first().click();
    await settled(this.page);
  }

  /** What `summary` elements are to people. */
  async open(text: string): Promise<void> {
    this.clicks++;
    await this.page.getByText(text, { exact: true }).click();
  }
}

test('three tasks of a newcomer, each in at most five clicks from the first page', async () => {
  const { page, complaints } = await openSettled(browser, server.url, '/', range);
  const { services } = await getJson<http.ServicesAnswer>(server.url, '/api/v1/services', range);
  // The hottest function of the busiest service: the first row of the first page says it already; its flame graph shows it.
  const hottest = new Newcomer(page);
  await hottest.click('link', services[0]?.service ?? '');
  const first = page.getByRole('region', { name: 'Functions' }).getByRole('row').nth(1);
  expect(await first.textContent()).toContain(services[0]?.top[0]?.name);
  expect(hottest.clicks).toBeLessThanOrEqual(5);

  await page.goto(`${server.url}/`);
  await settled(page);
  const slower = new Newcomer(page);
  await slower.click('link', /compare versions/u);
  expect(await page.getByRole('heading', { level: 2 }).first().textContent()).toMatch(/1\.1\.0 uses .* more CPU/u);
  const changes = page.getByRole('region', { name: 'Changes by function' }).getByRole('row');
  expect(await changes.nth(1).textContent()).toContain('measureText');
  expect(slower.clicks).toBeLessThanOrEqual(5);

  const download = new Newcomer(page);
  await page.goto(`${server.url}/`);
  await settled(page);
  await download.click('link', /compare versions/u);
  download.clicks++;
  await page.getByRole('link', { name: 'flame graph of this side' }).nth(1).click();
  await settled(page);
  await download.open('Download');
  download.clicks++;
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download pprof' }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/\.pb\.gz$/u);
  expect(download.clicks).toBeLessThanOrEqual(5);
  expect(complaints).toEqual([]);
});

test('axe finds nothing serious on any page, light or dark, and nothing moves while they load', async () => {
  const faults: string[] = [];
  const shifts: string[] = [];
  for (const [index, path] of [
    '/',
    `/flamegraph?query=${encodeURIComponent(query)}&search=read`,
    `/flamegraph?query=${encodeURIComponent(query)}&show=tree&focus=main`,
    '/compare?service=shop',
    '/findings',
    '/deployments',
    '/collection',
    '/upload',
  ].entries()) {
    const colorScheme = index % 2 === 0 ? 'light' : 'dark';
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme, bypassCSP: true });
    const page = await context.newPage();
    await measureIn(page);
    await page.goto(server.url + path);
    await settled(page);
    const sum = await layoutShift(page);
    // What Chromium's own tools call good.
    if (sum > 0.1) shifts.push(`${path} ${sum.toFixed(3)}`);
    for (const fault of await seriousFaults(page)) faults.push(`${path} ${fault}`);
    await context.close();
  }
  expect(faults).toEqual([]);
  expect(shifts).toEqual([]);
});
