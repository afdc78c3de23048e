import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import { profileFromText } from '@everflame/profile/testing';
import type { http } from '@everflame/protocols';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { postFleet, postProfile } from '../support/drawn-fleet.ts';
import { closePages, drawnNames, launchBrowser, openPage, openSettled, settled } from '../support/page-browser.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';

const minute = 60_000;
const hostileName = '<img src=x onerror=document.title=1>';
/** Times in the past, one for each test. */
const hostileMs = Date.parse('2026-03-01T10:00:00Z');
const crowdMs = Date.parse('2026-03-02T10:00:00Z');
const around = (ms: number) => ({ from: String(ms - minute), until: String(ms + minute) });

let server: PageServer;
let browser: Browser;

beforeAll(async () => {
  server = await startPageServer();
  await postFleet(server.url, 3, 0.3);
  browser = await launchBrowser();
});

afterEach(async () => closePages(browser));
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function onlyType(span: Readonly<Record<string, string>>): Promise<string> {
  const { profileTypes } = await getJson<http.ProfileTypesAnswer>(server.url, '/api/v1/profile-types', span);
  const [type] = profileTypes;
  if (type === undefined || profileTypes.length > 1) throw new Error(`${profileTypes.length} profile types`);
  return type.id;
}

test('names of functions and labels are text, whatever they say', async () => {
  const profile = profileFromText(`
    main  main
    x     y
    = 60  40
  `);
  const hostile = {
    ...profile,
    strings: profile.strings.map((text) => (text === 'x' ? hostileName : text)),
    timeNanos: BigInt(hostileMs) * 1_000_000n,
  };
  await postProfile(server.url, encodeProfile(hostile), { service_name: hostileName, __name__: 'process_cpu' });
  const span = around(hostileMs);
  const type = await onlyType(span);
  const overview = await openSettled(browser, server.url, '/', span);
  await expect(overview.page.locator('.service-name').textContent()).resolves.toBe(hostileName);
  const seen = [overview];
  const sides = { before_from: span.from, before_until: span.until, after_from: span.from, after_until: span.until };
  for (const [path, parameters] of [
    ['/flamegraph', { query: `${type}{service_name="${hostileName}"}`, by: 'service_name', ...span }],
    ['/compare', { service: hostileName, type, how: 'ranges', ...sides }],
  ] as const) {
    const watched = await openSettled(browser, server.url, path, parameters);
    await watched.page.locator(`g.frame[name="${hostileName}"]`).first().hover();
    await expect(watched.page.getByRole('tooltip').locator('.tip-name').textContent()).resolves.toBe(hostileName);
    seen.push(watched);
  }
  for (const { page, complaints } of seen) {
    await expect(page.locator('img[src="x"]').count()).resolves.toBe(0);
    await expect(page.title()).resolves.not.toBe('1');
    expect(complaints).toEqual([]);
  }
});

test('what is narrower than a pixel is one exact remainder, which opens on a click', async () => {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }],
    timeNanos: BigInt(crowdMs) * 1_000_000n,
  });
  const stackOf = (names: readonly string[]) => {
    let stack = 0;
    for (const name of names) {
      stack = builder.stack(stack, builder.location({ lines: [{ function: builder.function({ name }) }] }));
    }
    return stack;
  };
  builder.add(stackOf(['main', 'wide']), 0, [10_000_000n]);
  // Odd values around 2^53 would not survive as numbers.
  for (let index = 0; index < 3000; index++)
    builder.add(stackOf(['main', `narrow${index}`]), 0, [1001n + BigInt(index)]);
  await postProfile(server.url, encodeProfile(builder.build()), { service_name: 'crowd', __name__: 'process_cpu' });
  const span = around(crowdMs);
  const query = `${await onlyType(span)}{service_name="crowd"}`;
  const { page, complaints } = await openSettled(browser, server.url, '/flamegraph', { query, ...span });
  const sum = 3000n * 1001n + (3000n * 2999n) / 2n;
  const names = await drawnNames(page);
  const remainder = `3,000 functions, ${((Number(sum) / (10_000_000 + Number(sum))) * 100).toFixed(1)} %`;
  expect(names).toEqual([remainder, 'all', 'main', 'wide']);
  await page.locator('g.frame').filter({ hasText: '3,000 functions' }).click();
  await page.waitForURL(/zoom=[0-9a-f]{16}\.3000/u);
  await settled(page);
  await expect(page.locator('.panel > .summary span[title*="nanoseconds"]').getAttribute('title')).resolves.toBe(
    `${sum.toLocaleString('en')} nanoseconds`,
  );
  const opened = await drawnNames(page);
  // More functions than pixels: ten parts, which open further.
  expect(opened.filter((name) => name.startsWith('300 functions, ')).length).toBe(10);
  expect(opened).not.toContain('wide');
  await page.reload();
  await settled(page);
  await expect(drawnNames(page)).resolves.toEqual(opened);
  await page.locator('g.frame').filter({ hasText: '300 functions' }).first().click();
  await page.waitForURL(/zoom=[0-9a-f]{16}\.2700-3000/u);
  await settled(page);
  const narrow = (await drawnNames(page)).filter((name) => name.startsWith('narrow'));
  expect(narrow.length).toBe(300);
  expect(narrow).toContain('narrow2999');
  expect(complaints).toEqual([]);
});

test('the overview shows the dearest services first and the others on request', async () => {
  const ms = Date.parse('2026-03-03T10:00:00Z');
  for (let index = 1; index <= 23; index++) {
    const profile = { ...profileFromText(`\n main\n = ${index}`), timeNanos: BigInt(ms) * 1_000_000n };
    await postProfile(server.url, encodeProfile(profile), { service_name: `s${index}`, __name__: 'process_cpu' });
  }
  const { page } = await openSettled(browser, server.url, '/', around(ms));
  const names = async () => page.locator('.service-name').allTextContents();
  const all = Array.from({ length: 23 }, (_, index) => `s${23 - index}`);
  await expect(names()).resolves.toEqual(all.slice(0, 20));
  await page.getByRole('button', { name: 'Show 3 more services, 2.17 % of all' }).click();
  await settled(page);
  await expect(names()).resolves.toEqual(all);
});

test('an empty store says how to feed it, on every page', async () => {
  const empty = await startPageServer();
  try {
    for (const path of ['/', '/flamegraph', '/compare', '/findings', '/deployments']) {
      const { page, complaints } = await openPage(browser, empty.url + path, { width: 320, colorScheme: 'dark' });
      await settled(page);
      await expect(page.getByText('npm start', { exact: true }).isVisible()).resolves.toBe(true);
      await expect(page.getByText(`sudo npx everflame agent --server ${empty.url}`).count()).resolves.toBe(1);
      expect(complaints).toEqual([]);
    }
  } finally {
    await empty.close();
  }
});

test('an empty overview fills by itself when the first profile arrives', async () => {
  const empty = await startPageServer();
  try {
    const { page } = await openSettled(browser, empty.url, '/');
    await expect(page.getByText('No profiles yet').isVisible()).resolves.toBe(true);
    await postFleet(empty.url, 1, 0);
    await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
  } finally {
    await empty.close();
  }
});

test('every page fits a screen of 320 pixels', async () => {
  for (const path of [
    '/',
    '/flamegraph?by=thread_name&search=main&focus=main',
    '/flamegraph?show=tree',
    '/compare?service=shop',
    '/findings',
    '/deployments',
    '/collection',
    '/upload',
  ]) {
    const { page } = await openPage(browser, server.url + path, { width: 320, height: 700 });
    await settled(page);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect([path, overflow]).toEqual([path, 0]);
  }
});

test('what the server refuses and what it cannot be asked are told with what to do', async () => {
  const query = 'process_cpu:nonsense{service_name="shop"}';
  const refused = await openSettled(browser, server.url, '/flamegraph', { query });
  await expect(refused.page.getByRole('alert').first().textContent()).resolves.toMatch(/process_cpu:nonsense/u);
  const { page } = await openSettled(browser, server.url, '/');
  await page.route('**/api/v1/services*', (route) => route.abort());
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByText('The server does not answer').waitFor();
  await page.unroute('**/api/v1/services*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('The server does not answer').waitFor({ state: 'detached' });
  await expect(page.getByRole('link', { name: 'shop', exact: true }).count()).resolves.toBe(1);
});

test('what takes long can be cancelled, and asked for again', async () => {
  const { page } = await openPage(browser, 'about:blank');
  let isHeld = true;
  await page.route('**/api/v1/flamegraph*', async (route) => {
    if (!isHeld) await route.continue();
  });
  await page.goto(`${server.url}/flamegraph`);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('It was not loaded to its end').waitFor();
  isHeld = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('g.frame').first().waitFor();
  expect(await drawnNames(page)).toContain('all');
});
