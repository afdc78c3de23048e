import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { postProfile } from '../support/drawn-fleet.ts';
import { closePages, drawnNames, launchBrowser, openSettled, settled } from '../support/page-browser.ts';
import { seriousFaults } from '../support/page-checks.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';

const hostile = '<img src=x onerror="document.title=1">';
const cpu = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
const query = `${cpu}{service_name="shop"}`;
let folder: string;
let file: string;
let server: PageServer;
let browser: Browser;
let range: { from: string; until: string };

/** `main:3 > work:7 > inner:2`, lines of functions in `file`; `≪` in front of one that is inlined into the one before. */
const drawn = [
  '30 main:40 > render:12 > ≪measure:3',
  '50 main:40 > render:12',
  '20 main:40 > render:18',
  '7 main:41 > other:0',
];

function profile(): Uint8Array {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: 10_000_000n,
    timeNanos: BigInt(Date.now() - 60_000) * 1_000_000n,
    durationNanos: 10_000_000_000n,
  });
  const mapping = builder.mapping({ file: '/srv/app', buildId: 'cafe0123' });
  const line = (text: string) => {
    const [name = '', at = '0'] = text.split(':');
    const shown = name === 'other' ? hostile : name;
    const path = name === 'other' ? '/etc/<b>passwd</b>.c' : file;
    return { function: builder.function({ name: shown, file: path }), line: BigInt(at) };
  };
  for (const one of drawn) {
    const [, count = '0', path = ''] = /^(\d+) (.*)$/u.exec(one) ?? [];
    let stack = 0;
    for (const place of path.replaceAll(' > ≪', '+').split(' > ')) {
      const lines = place.split('+').map(line).toReversed();
      stack = builder.stack(stack, builder.location({ mapping, address: BigInt(count) * 16n, lines }));
    }
    builder.add(stack, 0, [BigInt(count), BigInt(count) * 10_000_000n]);
  }
  return encodeProfile(builder.build());
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'everflame-source-'));
  file = join(folder, 'invoice.c');
  const lines = Array.from({ length: 45 }, (_, index) => `  line(${index + 1}); // <i>&amp;`);
  writeFileSync(file, lines.join('\n'));
  server = await startPageServer({ sourceRoots: [{ prefix: folder, dir: folder }] });
  await postProfile(server.url, profile(), { service_name: 'shop' });
  range = { from: String(Date.now() - 20 * 60_000), until: String(Date.now()) };
  browser = await launchBrowser();
});
afterEach(async () => closePages(browser));
afterAll(async () => {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

const explore = async (parameters: Readonly<Record<string, string>> = {}) =>
  openSettled(browser, server.url, '/flamegraph', { query, ...range, ...parameters });

/** Cells of the table of a file, of the rows that have a cost. The points are Wilson's interval, computed elsewhere. */
async function costs(page: Page, name: string): Promise<string[]> {
  const rows = page.getByRole('region', { name: `Lines of ${name}` }).locator('tbody tr');
  const texts = await rows.evaluateAll((all) =>
    all.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '')),
  );
  return texts.filter(([, self]) => self !== '').map((cells) => cells.join('|'));
}

test('from the menu of a frame to what its lines cost, with their text, in the URL', async () => {
  const { page, complaints } = await explore();
  await page
    .locator('g.frame')
    .filter({ hasText: /^render$/u })
    .click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Cost of its source lines/u }).click();
  await settled(page);
  const { searchParams } = new URL(page.url());
  expect([searchParams.get('show'), searchParams.get('fn')]).toEqual(['source', 'render']);
  expect(await costs(page, file)).toEqual([
    '12  line(12); // <i>&amp;|500 ms|46.7 %|800 ms|74.8 %|±8.13|80',
    '18  line(18); // <i>&amp;|200 ms|18.7 %|200 ms|18.7 %|±7.34|20',
  ]);
  const answer = await getJson<http.LinesAnswer>(server.url, '/api/v1/lines', { query, ...range, function: 'render' });
  expect(answer.lines.map(({ line, self, total, samples }) => [line, self, total, samples])).toEqual([
    ['12', '500000000', '800000000', 80],
    ['18', '200000000', '200000000', 20],
  ]);
  const exactly = page.getByRole('region', { name: `Lines of ${file}` }).getByTitle('800,000,000 nanoseconds');
  expect(await exactly.count()).toBe(1);
  await page.getByText('build ID cafe0123').waitFor();
  // Lines around those that cost something, and no others.
  const shown = page.locator('.source-line');
  expect(await shown.count()).toBe(3 + 1 + 3 + 3 + 1 + 3 - 1);
  expect(complaints).toEqual([]);
});

test('the key, the palette and the picker lead there; what cannot be read says why; names stay text', async () => {
  const { page, complaints } = await explore();
  await page
    .locator('g.frame')
    .filter({ hasText: /^measure$/u })
    .click();
  await page.waitForURL(/zoom=/u);
  await settled(page);
  await page.keyboard.press('s');
  await page.waitForURL(/show=source&fn=measure/u);
  await settled(page);
  expect(await costs(page, file)).toEqual(['3  line(3); // <i>&amp;|300 ms|28.0 %|300 ms|28.0 %|±8.40|30']);
  await page.goBack();
  await settled(page);
  await page.keyboard.press('?');
  await page.getByRole('combobox', { name: 'Find an action' }).fill('source lines');
  await page.keyboard.press('Enter');
  await page.waitForURL(/show=source/u);
  await page.getByLabel('Function', { exact: true }).fill(hostile);
  await page.keyboard.press('Enter');
  await page.waitForURL(/fn=%3Cimg/u);
  await settled(page);
  await page.getByRole('heading', { name: '/etc/<b>passwd</b>.c' }).waitFor();
  await page.getByText('The profile says no lines here').waitFor();
  expect(await costs(page, '/etc/<b>passwd</b>.c')).toEqual(['?line not known|70 ms|6.54 %|70 ms|6.54 %|±4.84|7']);
  await page.getByLabel('Function', { exact: true }).fill('nowhere');
  await page.keyboard.press('Enter');
  await page.getByText('No sample of this range passes through a function of this name.').waitFor();
  expect(complaints).toEqual([]);
});

test('a frame may be a line: its label, its tooltip, its kind and its ways to other views', async () => {
  const { page, complaints } = await explore({ frames: 'line', show: 'graph' });
  const names = (await drawnNames(page)).filter((name) => name !== 'all');
  expect(names).toEqual([
    hostile,
    'main invoice.c:40',
    'main invoice.c:41',
    'measure invoice.c:3',
    'render invoice.c:12',
    'render invoice.c:18',
  ]);
  const tree = await getJson<http.FlamegraphAnswer>(server.url, '/api/v1/flamegraph', {
    query,
    ...range,
    granularity: 'lines',
  });
  expect(tree.frames.name.slice(1).toSorted()).toEqual(
    [
      hostile,
      `main ${file}:40`,
      `main ${file}:41`,
      `measure ${file}:3`,
      `render ${file}:12`,
      `render ${file}:18`,
    ].toSorted(),
  );
  const measure = page.locator('g.frame').filter({ hasText: /^measure invoice\.c:3$/u });
  await measure.hover();
  const tip = page.getByRole('tooltip');
  await tip.getByText('build ID cafe0123').waitFor();
  const lines = await tip.locator('p').allTextContents();
  expect(lines.slice(0, 4)).toEqual([
    'measure',
    `${file}:3`,
    '/srv/app, build ID cafe0123',
    'inlined into its callers',
  ]);
  // Wilson's interval of 30 of 107; how many cores that is, depends on when it is asked.
  const cells = (await tip.locator('tbody tr').first().locator('td').allTextContents()).slice(-4);
  expect(cells).toEqual(['300 ms', '28.0 %', '20.4–37.2 %', '30']);
  expect(await tip.locator('thead th').allTextContents()).toEqual([
    '',
    'Cores',
    'Time',
    'Share',
    '95 % interval',
    'Samples',
  ]);
  await page.getByRole('list', { name: 'Colours' }).getByText('inlined into its callers').waitFor();
  await measure.click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Focus/u }).click();
  await settled(page);
  expect(new URL(page.url()).searchParams.get('focus')).toBe('^measure$');
  expect(await drawnNames(page)).toEqual(['all', 'main invoice.c:40', 'measure invoice.c:3', 'render invoice.c:12']);
  await measure.click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Cost of its source lines/u }).click();
  await settled(page);
  expect(await page.getByLabel('Function', { exact: true }).inputValue()).toBe('measure');
  await page.goBack();
  await settled(page);
  await measure.click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Callers and callees/u }).click();
  await page.getByRole('heading', { name: 'Who calls it' }).waitFor();
  await settled(page);
  expect(await drawnNames(page)).toContain('render invoice.c:12');
  expect(complaints).toEqual([]);
});

test('axe finds nothing serious in it, and a file of one’s own shows its lines without a request', async () => {
  const context = await browser.newContext({ bypassCSP: true, colorScheme: 'dark' });
  const page = await context.newPage();
  const search = new URLSearchParams({ query, ...range, show: 'source', fn: 'render' });
  await page.goto(`${server.url}/flamegraph?${search.toString()}`);
  await settled(page);
  expect(await seriousFaults(page)).toEqual([]);
  await page.goto(`${server.url}/upload?show=source&fn=render`);
  await settled(page);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.getByLabel('Choose profiles').setInputFiles({
    name: 'own.pb',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(profile()),
  });
  await page.getByRole('region', { name: `Lines of ${file}` }).waitFor();
  expect(await costs(page, file)).toEqual([
    '12|500 ms|46.7 %|800 ms|74.8 %|±8.13|80',
    '18|200 ms|18.7 %|200 ms|18.7 %|±7.34|20',
  ]);
  expect(asked.filter((url) => url.includes('/api/'))).toEqual([]);
  await context.close();
});
