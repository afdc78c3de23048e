import type { http } from '@everflame/protocols';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { waitFor } from '../support/wait-for.ts';
import { drawnFleet, drawnProfile, postProfile } from '../support/drawn-fleet.ts';
import {
  closePages,
  drawnNames,
  launchBrowser,
  type OpenOptions,
  openSettled,
  settled,
} from '../support/page-browser.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';

const cpu = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
/** Times in the past that nothing else stores into. */
const startMs = Date.parse('2026-03-01T10:00:00Z');
const minute = 60_000;
const range = { from: String(startMs), until: String(startMs + 20 * minute) };

let server: PageServer;
let browser: Browser;

beforeAll(async () => {
  server = await startPageServer({ notices: ['This host is not profiled: the agent needs root.'] });
  // Ten minutes of 1.0.0, then ten of 1.1.0, without noise: the numbers below are those that were drawn.
  for (let step = 0; step < 20; step++) {
    for (const process of drawnFleet(step < 10 ? '1.0.0' : '1.1.0')) {
      const body = drawnProfile(process, startMs + step * minute, 0, () => 0.5);
      await postProfile(server.url, body, process.labels);
    }
  }
  browser = await launchBrowser();
});

afterEach(async () => closePages(browser));
afterAll(async () => {
  await browser.close();
  await server.close();
});

const open = (path: string, parameters: Readonly<Record<string, string>> = {}, options: OpenOptions = {}) =>
  openSettled(browser, server.url, path, parameters, options);

const frame = (page: Page, name: string) => page.locator('g.frame').filter({ hasText: new RegExp(`^${name}$`, 'u') });
const bodyRows = (page: Page, table: string) =>
  page.getByRole('region', { name: table }).locator('tbody tr[aria-rowindex]');
/** Text of the tooltip's table as rows of cells. */
async function tipNumbers(page: Page): Promise<string[][]> {
  const rows = page.getByRole('tooltip').locator('tbody tr');
  return Promise.all((await rows.all()).map(async (row) => row.locator('th, td').allTextContents()));
}

/** Numbers as the page writes them, for values below an hour. */
function time(ns: bigint): string {
  const [size, unit]: [number, string] =
    ns >= 60_000_000_000n ? [60e9, 'min'] : ns >= 1_000_000_000n ? [1e9, 's'] : [1e6, 'ms'];
  const value = Number(ns) / size;
  const text = value >= 100 ? String(Math.round(value)) : value.toFixed(value >= 10 ? 1 : 2);
  return `${text.includes('.') ? text.replace(/\.?0+$/u, '') : text} ${unit}`;
}

test('the overview lists the services by cost and leads to their flame graphs', async () => {
  const { page, complaints } = await open('/', range);
  const answer = await getJson<http.ServicesAnswer>(server.url, '/api/v1/services', range);
  const names = await page.locator('.service-name').allTextContents();
  expect(names).toEqual(answer.services.map((one) => one.service));
  expect(names).toEqual(['shop', 'postgres', 'kernel', 'everflame-agent']);
  await expect(page.getByText('This host is not profiled: the agent needs root.').count()).resolves.toBe(1);
  const hottest = page.locator('.top-functions').first().locator('li');
  const top = answer.services[0]?.top.slice(0, 3).map((one) => one.name);
  expect(await hottest.locator('a').allTextContents()).toEqual(top);
  await page.getByRole('link', { name: 'shop', exact: true }).click();
  await settled(page);
  expect(new URL(page.url()).pathname).toBe('/flamegraph');
  expect(await page.getByLabel('Selector of labels').inputValue()).toBe('{service_name="shop"}');
  expect(await drawnNames(page)).toContain('renderInvoice');
  expect(complaints).toEqual([]);
});

test('the flame graph shows the numbers of the API, to the last digit', async () => {
  const query = `${cpu}{service_name="shop"}`;
  const { page, complaints } = await open('/flamegraph', { query, ...range, show: 'table' }, { height: 2000 });
  const top = await getJson<http.TopAnswer>(server.url, '/api/v1/top', { query, ...range });
  const total = BigInt(top.total);
  await expect(page.locator('.panel > .summary').textContent()).resolves.toContain(top.samples.toLocaleString('en'));
  await expect(page.locator('.panel > .summary span[title*="nanoseconds"]').getAttribute('title')).resolves.toBe(
    `${total.toLocaleString('en')} nanoseconds`,
  );
  const byName = new Map(top.functions.map((one) => [one.name, one]));
  const rows = await bodyRows(page, 'Functions').all();
  expect(rows.length).toBe(top.functions.length);
  for (const row of rows) {
    const name = (await row.getAttribute('title'))?.split('\n')[0] ?? '';
    const said = byName.get(name);
    if (said === undefined) throw new Error(`the API has no function ${name}`);
    const exact = await row
      .locator('td span[title]')
      .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('title')));
    expect([name, ...exact]).toEqual([
      name,
      `${BigInt(said.self).toLocaleString('en')} nanoseconds`,
      `${BigInt(said.total).toLocaleString('en')} nanoseconds`,
    ]);
    await expect(row.locator('td').last().textContent()).resolves.toBe(said.samples.toLocaleString('en'));
  }
  await page.getByRole('button', { name: 'Both' }).click();
  await settled(page);
  await frame(page, 'renderInvoice').hover();
  const invoice = byName.get('renderInvoice');
  const numbers = await tipNumbers(page);
  expect(numbers[0]?.[0]).toBe('Total');
  expect(numbers[0]?.[2]).toBe(time(BigInt(invoice?.total ?? '0')));
  expect(numbers[0]?.[5]).toBe(invoice?.samples.toLocaleString('en'));
  expect(complaints).toEqual([]);
});

test('a search tells the exact union, counting a sample once', async () => {
  const query = `${cpu}{service_name="shop"}`;
  const { page } = await open('/flamegraph', { query, ...range, search: 'invoice|layoutlines|measuretext|taxtable' });
  const { nodes, frames } = await getJson<http.FlamegraphAnswer>(server.url, '/api/v1/flamegraph', { query, ...range });
  let union = 0n;
  const covered = nodes.parent.map(() => false);
  for (const [node, up] of nodes.parent.entries()) {
    if (node === 0) continue;
    const isMatch = /invoice|layoutlines|measuretext|taxtable/iu.test(frames.name[nodes.frame[node] ?? 0] ?? '');
    covered[node] = covered[up] === true || isMatch;
    if (isMatch && covered[up] !== true) union += BigInt(nodes.total[node] ?? '0');
  }
  const share = ((Number(union) / Number(BigInt(nodes.total[0] ?? '1'))) * 100).toFixed(1);
  const said = await page.locator('.search-result').textContent();
  expect(said).toBe(`4 functions, ${share} % of the samples' time (${time(union)})`);
});

test('a click zooms, the way back is a click, Escape, or the browser', async () => {
  const { page } = await open('/flamegraph', { query: `${cpu}{service_name="shop"}`, ...range });
  const whole = await drawnNames(page);
  await frame(page, 'renderInvoice').click();
  await page.waitForURL(/zoom=[0-9a-f]{16}/u);
  await settled(page);
  const zoomed = await drawnNames(page);
  expect(zoomed).toContain('measureText');
  expect(zoomed).not.toContain('searchCatalogue');
  const names = await bodyRows(page, 'Functions').locator('.function-name').allTextContents();
  expect(names).toContain('measureText');
  expect(names).not.toContain('searchCatalogue');
  await page.reload();
  await settled(page);
  expect(await drawnNames(page)).toEqual(zoomed);
  await page.keyboard.press('Escape');
  await page.waitForURL((url) => !url.searchParams.has('zoom'));
  await settled(page);
  expect(await drawnNames(page)).toEqual(whole);
  await page.goBack();
  await page.waitForURL(/zoom=/u);
  await settled(page);
  expect(await drawnNames(page)).toEqual(zoomed);
  await page.getByRole('button', { name: 'Reset zoom' }).click();
  await page.waitForURL((url) => !url.searchParams.has('zoom'));
});

test('the keyboard walks the frames and zooms', async () => {
  const { page } = await open('/flamegraph', { query: `${cpu}{service_name="shop"}`, ...range });
  await page.getByRole('group', { name: /^Flame graph\./u }).focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
  await page.waitForURL(/zoom=/u);
  await settled(page);
  await expect(page.getByRole('navigation', { name: 'Zoom' }).textContent()).resolves.toMatch(
    /_start.*main.*node::Start/u,
  );
  await page.keyboard.press('/');
  await expect(page.getByLabel('Search functions').evaluate((input) => input.matches(':focus'))).resolves.toBe(true);
});

test('a split by label is the first level of the tree and the bands of the chart', async () => {
  const { page, complaints } = await open('/flamegraph', range);
  await page.getByLabel('Split by').selectOption('service_name');
  await page.waitForURL(/by=service_name/u);
  await settled(page);
  expect(await drawnNames(page)).toEqual(expect.arrayContaining(['shop', 'postgres']));
  await page.getByTitle('Show only service_name = postgres').click();
  await settled(page);
  expect(await page.getByLabel('Selector of labels').inputValue()).toBe('{service_name="postgres"}');
  expect(await drawnNames(page)).not.toContain('renderInvoice');
  await page.getByLabel('Split by').selectOption('process_pid');
  await page.waitForURL(/by=process_pid/u);
  await settled(page);
  expect(await drawnNames(page)).toContain('812');
  expect(complaints).toEqual([]);
});

test('the selector completes labels and values and explains mistakes in place', async () => {
  const { page } = await open('/flamegraph', range);
  const selector = page.getByLabel('Selector of labels');
  await selector.click();
  await page.getByRole('listbox').getByRole('option', { name: 'service_name' }).click();
  await page.getByRole('listbox').getByRole('option', { name: 'shop' }).click();
  await page.waitForURL(/query=.*shop/u);
  expect(await selector.inputValue()).toBe('{service_name="shop"}');
  await selector.fill('{service_name="shop" host="x"}');
  await expect(page.locator('.field-error').textContent()).resolves.toMatch(/^At “host="x"\}”: /u);
});

test('brushing the chart chooses a range, and back leaves it', async () => {
  const { page } = await open('/flamegraph', range);
  // It is drawn anew when its answer comes.
  const box = await waitFor(
    'the chart to be drawn',
    async () => (await page.locator('.chart .u-over').boundingBox()) ?? undefined,
  );
  await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 40, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL((url) => url.searchParams.get('from') !== range.from);
  const chosen = new URL(page.url()).searchParams;
  const from = Number(chosen.get('from'));
  const until = Number(chosen.get('until'));
  expect(Math.abs(from - (startMs + 5 * minute))).toBeLessThan(minute / 2);
  expect(Math.abs(until - (startMs + 10 * minute))).toBeLessThan(minute / 2);
  await page.goBack();
  await page.waitForURL((url) => url.searchParams.get('from') === range.from);
});

test('the comparison holds both sides whole: new and vanished functions, totals, changes', async () => {
  const { page, complaints } = await open('/compare', { service: 'shop' });
  const diff = await getJson<http.DiffAnswer>(server.url, '/api/v1/diff', {
    before_query: `${cpu}{service_name="shop", service_version="1.0.0"}`,
    after_query: `${cpu}{service_name="shop", service_version="1.1.0"}`,
    ...range,
  });
  await expect(page.getByRole('heading', { level: 2 }).first().textContent()).resolves.toMatch(
    /1\.1\.0 uses 23\.6 % \(±[\d.]+\) more CPU per instance than 1\.0\.0/u,
  );
  await expect(page.getByText(/The largest change is in measureText: \+12\.\d\d points/u).count()).resolves.toBe(1);
  const sides = page.locator('.side');
  await expect(sides.nth(0).textContent()).resolves.toContain(`${diff.before.samples.toLocaleString('en')} samples`);
  await expect(sides.nth(1).textContent()).resolves.toContain(`${diff.after.samples.toLocaleString('en')} samples`);
  const exact = await page
    .locator('.side span[title$=" nanoseconds"]')
    .evaluateAll((all) => all.map((one) => one.getAttribute('title')));
  expect(exact).toEqual(
    [diff.before.total, diff.after.total].map((one) => `${BigInt(one).toLocaleString('en')} nanoseconds`),
  );

  // What vanished has no width in a picture of after: it is named beside it, and leads to the picture of before.
  expect(await drawnNames(page)).toContain('taxTable');
  expect(await drawnNames(page)).not.toContain('formatCurrencyByHand');
  await page.getByRole('button', { name: /^formatCurrencyByHand/u }).click();
  await page.waitForURL(/width=before/u);
  await settled(page);
  expect(await drawnNames(page)).toContain('formatCurrencyByHand');
  await page.keyboard.press('Escape');
  await page.getByRole('group', { name: 'Width of frames' }).getByRole('button', { name: 'Both' }).click();
  await page.waitForURL(/width=both/u);
  await settled(page);
  expect(await drawnNames(page)).toEqual(expect.arrayContaining(['formatCurrencyByHand', 'taxTable']));

  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.waitForURL(/only=new/u);
  expect(await bodyRows(page, 'Changes by function').locator('.function-name').allTextContents()).toEqual([
    'newtaxTable',
  ]);
  await page.getByRole('button', { name: 'Gone', exact: true }).click();
  await page.waitForURL(/only=gone/u);
  const gone = await bodyRows(page, 'Changes by function').locator('.function-name').allTextContents();
  expect(gone.toSorted()).toEqual(['goneformatCurrencyByHand', 'gonepadStart']);
  expect(complaints).toEqual([]);
});

test('two time ranges can be compared as well, and the state is in the URL', async () => {
  const middle = String(startMs + 10 * minute);
  const { page } = await open('/compare', {
    service: 'shop',
    how: 'ranges',
    before_from: range.from,
    before_until: middle,
    after_from: middle,
    after_until: range.until,
    values: 'amounts',
    of: 'total',
  });
  const title = await page.getByRole('heading', { level: 2 }).first().textContent();
  expect(title).toMatch(/after uses 23\.6 % \(±[\d.]+\) more CPU/u);
  const rows = await bodyRows(page, 'Changes by function').allTextContents();
  await page.reload();
  await settled(page);
  expect(await bodyRows(page, 'Changes by function').allTextContents()).toEqual(rows);
  await page.getByRole('button', { name: 'Swap' }).click();
  await page.waitForURL((url) => url.searchParams.get('before_from') === middle);
  await settled(page);
  await expect(page.getByRole('heading', { level: 2 }).first().textContent()).resolves.toMatch(/ less CPU/u);
});

test('the download and its command hold what the page shows', async () => {
  const query = `${cpu}{service_name="shop"}`;
  const { page } = await open('/flamegraph', { query, ...range });
  await page.getByText('Download', { exact: true }).click();
  const link = page.getByRole('link', { name: 'Download pprof' });
  const href = (await link.getAttribute('href')) ?? '';
  await expect(page.locator('.menu code').textContent()).resolves.toBe(`go tool pprof -http=: '${server.url}${href}'`);
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  expect(download.suggestedFilename()).toMatch(/\.pb\.gz$/u);
  const asked = new URL(href, server.url).searchParams;
  expect(Object.fromEntries(asked)).toEqual({ query, ...range });
});
