import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

export const inPage = fileURLToPath(new URL('in-page.js', import.meta.url));

/** Must be called before the page is opened. */
export async function measureIn(page: Page): Promise<void> {
  await page.addInitScript({ path: inPage });
}

/** Tasks above 50 ms that held the page since it was opened, in ms: what the browser itself reports. */
export async function longTasks(page: Page): Promise<number[]> {
  return page.evaluate('everflameTest.longTasks()');
}

/** How far what was there has moved while the page loaded (Chromium's layout-shift entries). */
export async function layoutShift(page: Page): Promise<number> {
  return page.evaluate('everflameTest.shifts()');
}

/** From the arrival of the tree's bytes to its first picture, in ms. */
export async function firstPictureMs(page: Page): Promise<number> {
  return page.evaluate('everflameTest.firstPicture()');
}

/** How long it takes from a key to the picture that it leads to, painted, in ms; null when it leads to none. */
export async function keyToPictureMs(page: Page, key: string): Promise<number | null> {
  return page.evaluate(`everflameTest.key(${JSON.stringify(key)})`);
}

/** How long a click on one of the drawn frames takes until its picture is painted; null when there is none to zoom to. */
export async function clickToPictureMs(page: Page, nth: number): Promise<number | null> {
  return page.evaluate(`everflameTest.click(${nth})`);
}

/** Process id of the renderer of a page, with its worker: the one that computes while the page does. */
export async function rendererPid(page: Page): Promise<number> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('the page has no browser');
  const session = await browser.newBrowserCDPSession();
  const renderers = async (): Promise<Map<number, number>> => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    return new Map(processInfo.filter(({ type }) => type === 'renderer').map(({ id, cpuTime }) => [id, cpuTime]));
  };
  const before = await renderers();
  await page.evaluate('for (const end = performance.now() + 500; performance.now() < end; );');
  const spent = [...(await renderers())].map(([id, cpuTime]) => ({ id, cpuTime: cpuTime - (before.get(id) ?? 0) }));
  await session.detach();
  const [busiest] = spent.toSorted((a, b) => b.cpuTime - a.cpuTime);
  if (busiest === undefined) throw new Error('the browser has no renderer');
  return busiest.id;
}

/** Memory of its own of a process, without what it shares with others, in MB. */
export function anonymousMb(pid: number): number {
  return Number(/^RssAnon:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
