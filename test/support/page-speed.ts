import type { Page } from 'playwright-core';

/** Tasks above 50 ms that held the page, in ms: what the browser itself reports. Begins with the page's next load. */
export async function watchLongTasks(page: Page): Promise<() => Promise<number[]>> {
  await page.addInitScript(() => {
    const found: number[] = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) found.push(entry.duration);
    }).observe({ type: 'longtask', buffered: true });
    Object.assign(globalThis, { everflameLongTasks: found });
  });
  return async () =>
    page.evaluate(() => (globalThis as unknown as { everflameLongTasks: number[] }).everflameLongTasks);
}

/** From the arrival of the tree's bytes to its first picture, in ms. */
export async function firstPictureMs(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const at = (name: string) => performance.getEntriesByName(name)[0]?.startTime;
    for (;;) {
      const arrived = at('everflame-tree-arrived');
      const drawn = performance
        .getEntriesByName('everflame-drawn')
        .find((entry) => arrived !== undefined && entry.startTime > arrived)?.startTime;
      if (arrived !== undefined && drawn !== undefined) return drawn - arrived;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
}

/** How long it takes from a key to the picture that it leads to, painted, in ms. */
export async function keyToPictureMs(page: Page, key: string): Promise<number> {
  return page.evaluate(async (pressed) => {
    const drawn = () => performance.getEntriesByName('everflame-drawn').length;
    const before = drawn();
    const start = performance.now();
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: pressed, bubbles: true, cancelable: true }));
    await painted(() => drawn() > before);
    return performance.now() - start;

    async function painted(isDone: () => boolean): Promise<void> {
      while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    }
  }, key);
}

/** How long a click on one of the drawn frames takes until its picture is painted; null when there is none to zoom to. */
export async function clickToPictureMs(page: Page, nth: number): Promise<number | null> {
  return page.evaluate(async (wanted) => {
    const frames = [...document.querySelectorAll('.flame-box g.frame')].filter(
      (frame) => frame.getBoundingClientRect().width > 3,
    );
    const frame = frames[wanted % frames.length];
    if (frame === undefined) return null;
    const drawn = () => performance.getEntriesByName('everflame-drawn').length;
    const before = drawn();
    const start = performance.now();
    frame.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
    while (drawn() === before) {
      if (performance.now() - start > 5000) return null;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - start;
  }, nth);
}

/** Memory of its own of the largest renderer of the browser, in MB: the page with its worker. */
export async function rendererMb(page: Page): Promise<number> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('the page has no browser');
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const { readFileSync } = await import('node:fs');
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => Number(/^RssAnon:\s+(\d+)/mu.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0) / 1024);
  return Math.max(...sizes);
}
