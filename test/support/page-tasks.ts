import type { Browser, Page } from 'playwright-core';
import { openPage, settled } from './page-browser.ts';

/** The most that one task held a page, each of the two by itself: they may be of different tasks. */
export interface LongestTask {
  /** How long the page could do nothing else, ms. */
  readonly wallMs: number;
  /** What of a task its thread had a CPU, ms: what it takes on a machine with nothing else to do. */
  readonly cpuMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly dur?: number;
  readonly tdur?: number;
}

/** Tells the thread of the page from those of the browser's own pages. */
const mark = 'page-under-test';

/** Opens `url` in a page of its own, waits until it is drawn and does what `act` does: what Chromium's trace says of the tasks of its main thread. */
export async function longestTask(
  browser: Browser,
  url: string,
  act?: (page: Page) => Promise<void>,
): Promise<LongestTask> {
  const { page } = await openPage(browser, 'about:blank');
  await browser.startTracing(page, { categories: ['toplevel', 'blink.user_timing'] });
  await page.goto(url);
  await settled(page);
  await act?.(page);
  await page.evaluate(`performance.mark('${mark}')`);
  const trace = (await browser.stopTracing()).toString('utf8');
  await page.context().close();
  const { traceEvents } = JSON.parse(trace) as { readonly traceEvents: readonly TraceEvent[] };
  const marked = traceEvents.find(({ name }) => name === mark);
  if (marked === undefined) throw new Error(`no thread has the mark in ${traceEvents.length} events`);
  const tasks = traceEvents.filter(
    ({ name, pid, tid }) => name === 'ThreadControllerImpl::RunTask' && pid === marked.pid && tid === marked.tid,
  );
  return {
    wallMs: Math.max(...tasks.map(({ dur = 0 }) => dur)) / 1000,
    cpuMs: Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000,
  };
}
