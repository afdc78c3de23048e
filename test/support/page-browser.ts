import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { waitFor } from './wait-for.ts';

const whole = '/usr/bin/chromium';
/** The same engine without the windows around it: a page costs a third of the CPU. */
const withoutWindows = '/usr/bin/chromium-headless-shell';

/** `isWhole`: the browser that people have, in place of the one that is quick where it is installed. The flags keep Chromium from calling home. */
export async function launchBrowser({ isWhole = false } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: isWhole || !existsSync(withoutWindows) ? whole : withoutWindows,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Ends all pages: what is open is drawn, asks and waits beside what is tested. */
export async function closePages(browser: Browser): Promise<void> {
  await Promise.all(browser.contexts().map(async (context) => context.close()));
}

export interface OpenOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

export interface WatchedPage {
  readonly page: Page;
  /** Whatever the page complained of: console errors and warnings (CSP violations among them), exceptions. */
  readonly complaints: readonly string[];
}

/** A page in a context of its own, whose complaints are collected. */
export async function openPage(browser: Browser, url: string, options: OpenOptions = {}): Promise<WatchedPage> {
  const { width = 1440, height = 900, colorScheme = 'light' } = options;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, timezoneId: 'UTC' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
  await page.goto(url);
  return { page, complaints };
}

/** In the page, with its own selectors: those of a locator walk all elements in script, which takes longer than what is waited for. */
const isDrawn = `(() => {
  const shown = document.querySelector('#content')?.getAttribute('data-place');
  if (shown !== location.pathname + location.search) return false;
  if (document.querySelector('.progress.is-active, .is-stale, .skeleton, [aria-busy="true"]') !== null) return false;
  return [...document.querySelectorAll('.d3-flame-graph-label')].every((one) => one.style.display === 'none' || one.textContent !== '');
})()`;

/** Resolves when the page shows what its URL says, nothing is loading and the frames have their labels. */
export async function settled(page: Page): Promise<void> {
  await waitFor('the page to be drawn', async () => (await page.evaluate<boolean>(isDrawn)) || undefined);
}

/** Opens a page of a server and waits until it is drawn. */
export async function openSettled(
  browser: Browser,
  server: string,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
  options: OpenOptions = {},
): Promise<WatchedPage> {
  const url = new URL(path, server);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const watched = await openPage(browser, url.href, options);
  await settled(watched.page);
  return watched;
}

/** Names of the frames that are drawn, in order of the alphabet. */
export async function drawnNames(page: Page): Promise<string[]> {
  const names = await page
    .locator('g.frame')
    .evaluateAll((groups) => groups.map((group) => group.getAttribute('name') ?? ''));
  return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
