import type { http } from '@everflame/protocols';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { postRelease } from '../support/drawn-release.ts';
import { closePages, launchBrowser, openSettled, settled } from '../support/page-browser.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';
import { waitFor } from '../support/wait-for.ts';

let server: PageServer;
let browser: Browser;

beforeAll(async () => {
  server = await startPageServer({
    async fill(url) {
      await postRelease(url, { service: 'checkout', hosts: 6, updated: 6, minutes: 24 });
      await postRelease(url, { service: 'shop', hosts: 12, updated: 6, minutes: 40 });
    },
  });
  browser = await launchBrowser();
  await waitFor('the server to look', async () => {
    const { watch } = await getJson<http.FindingsAnswer>(server.url, '/api/v1/findings', {});
    return watch.lastPassAt === null ? undefined : true;
  });
});
afterEach(async () => closePages(browser));
afterAll(async () => {
  await browser.close();
  await server.close();
});

const findingsOf = async (service: string) =>
  (await getJson<http.FindingsAnswer>(server.url, '/api/v1/findings', { service })).findings;

/** Questions of the page to /api/v1/compare from now on. */
function comparisonsOf(page: Page): URLSearchParams[] {
  const asked: URLSearchParams[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname === '/api/v1/compare') asked.push(url.searchParams);
  });
  return asked;
}

test('a finding leads to the comparison that has shown it, as the look that it was; other sides are no look', async () => {
  const found = await findingsOf('checkout');
  const [first] = found.filter(({ verdict }) => verdict === 'regressed');
  if (first === undefined) throw new Error(`nothing regressed: ${JSON.stringify(found)}`);
  const { page, complaints } = await openSettled(browser, server.url, '/findings', { service: 'checkout' });
  expect(await page.getByRole('listitem').filter({ hasText: 'checkout' }).count()).toBe(found.length);
  const asked = comparisonsOf(page);
  await page.getByRole('link', { name: first.sentence }).click();
  await settled(page);
  expect(asked.map((one) => one.get('look'))).toEqual([String(first.look)]);
  const answer = await getJson<http.CompareAnswer>(server.url, '/api/v1/compare', Object.fromEntries(asked[0] ?? []));
  expect(answer.summary.look).toBe(first.look);
  expect(answer.functions.find(({ name }) => name === first.function)).toMatchObject({ verdict: 'regressed' });
  expect(await page.getByRole('heading', { level: 2 }).first().textContent()).toBe(answer.sentence);
  await page.getByText(`look ${first.look} of the server, whose intervals hold over all looks together`).waitFor();
  // The function that it is about is among the changes, with its verdict.
  const row = page.getByRole('region', { name: 'Changes by function' }).getByRole('row', { name: first.function });
  expect(await row.first().textContent()).toMatch(/regressed/u);
  await page.getByRole('button', { name: 'Swap' }).click();
  await page.waitForURL((url) => !url.searchParams.has('look'));
  await settled(page);
  expect(asked.at(-1)?.has('look')).toBe(false);
  expect(complaints).toEqual([]);
});

test('a canary is told as one, and its comparison knows the hosts that stayed', async () => {
  const { deployments } = await getJson<http.DeploymentsAnswer>(server.url, '/api/v1/deployments', { service: 'shop' });
  const newest = deployments.find(({ version }) => version === '1.1.0')?.periods.at(-1);
  expect(newest).toMatchObject({ kind: 'canary', state: 'live', replaces: '1.0.0' });
  const { page, complaints } = await openSettled(browser, server.url, '/deployments', { service: 'shop' });
  const row = page.getByRole('row').filter({ hasText: '1.1.0' }).first();
  expect(await row.textContent()).toMatch(/canary beside 1\.0\.0/u);
  await row
    .getByRole('link', { name: /^against 1\.0\.0/u })
    .first()
    .click();
  await settled(page);
  const asked = Object.fromEntries(new URL(page.url()).searchParams);
  expect(asked).toMatchObject({ service: 'shop', after: '1.1.0' });
  expect(await page.getByRole('heading', { level: 2 }).first().textContent()).toMatch(/1\.1\.0 uses .* more CPU/u);
  const [found] = await findingsOf('shop');
  if (found === undefined) throw new Error('nothing was found');
  const sides = Object.fromEntries(new URL(found.link, server.url).searchParams);
  const compared = await getJson<http.CompareAnswer>(server.url, '/api/v1/compare', sides);
  expect(compared.summary).toMatchObject({ look: found.look, controls: 6 });
  await page.goto(server.url + found.link);
  await settled(page);
  expect(await page.getByRole('heading', { level: 2 }).first().textContent()).toBe(compared.sentence);
  expect(complaints).toEqual([]);
});
