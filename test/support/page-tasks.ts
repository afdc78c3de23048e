import type { Browser, Page } from 'playwright-core';
import { openPage, settled } from './page-browser.ts';

/** The most that one task held a page, each of the two by itself: they may be of different tasks. */
export interface LongestTask {
  /** How long the page could do nothing else, ms. */
  readonly wallMs: number;
  /** What of a task its thread had a CPU, ms: what it takes on a machine with nothing else to do. */
  readonly cpuMs: number;
  /** What the yardstick, a fixed piece of work like a page's own, took of the same thread in the same minute, ms. */
  readonly yardstickMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
}

/** Tells the thread of the page from those of the browser's own pages, and the task of the yardstick from the page's. */
const mark = 'page-under-test';

/** In the page: script over numbers and texts, and 1,500 boxes with labels laid out. */
const yardstick = `(() => {
  performance.mark('${mark}');
  const numbers = Float64Array.from({ length: 60_000 }, (_, i) => (i * 7919) % 60_013);
  const names = new Map(Array.from(numbers.sort(), (number) => ['f' + number, number]));
  const host = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  let at = 0;
  for (const [name, number] of names) {
    if (++at > 1500) break;
    const text = document.createElementNS(host.namespaceURI, 'text');
    text.setAttribute('x', String(number % 1000));
    text.setAttribute('y', String(at % 900));
    text.textContent = name;
    host.append(text);
  }
  document.body.append(host);
  const { width } = host.getBoundingClientRect();
  host.remove();
  return width;
})()`;

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
  await page.evaluate(yardstick);
  // A task is in the trace when it has ended, and it answers before: another one that begins has seen it end.
  await page.evaluate('new Promise((resolve) => setTimeout(resolve))');
  const trace = (await browser.stopTracing()).toString('utf8');
  await page.context().close();
  const { traceEvents } = JSON.parse(trace) as { readonly traceEvents: readonly TraceEvent[] };
  const marked = traceEvents.find(({ name }) => name === mark);
  if (marked === undefined) throw new Error(`no thread has the mark in ${traceEvents.length} events`);
  const all = traceEvents.filter(
    ({ name, pid, tid }) => name === 'ThreadControllerImpl::RunTask' && pid === marked.pid && tid === marked.tid,
  );
  const ofYardstick = all.find(({ ts, dur = 0 }) => ts <= marked.ts && marked.ts <= ts + dur);
  if (ofYardstick === undefined) throw new Error('no task holds the mark');
  const tasks = all.filter((task) => task !== ofYardstick);
  return {
    wallMs: Math.max(...tasks.map(({ dur = 0 }) => dur)) / 1000,
    cpuMs: Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000,
    yardstickMs: (ofYardstick.tdur ?? 0) / 1000,
  };
}
