import type { Page } from 'playwright-core';

/** A task of the thread that runs the page. */
export interface PageTask {
  /** How long the page could do nothing else, ms. */
  readonly wallMs: number;
  /** What of that its thread had a CPU, ms: what it takes on a machine with nothing else to do. */
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

interface TracingSession {
  on(event: 'Tracing.dataCollected', listener: (data: { readonly value: readonly TraceEvent[] }) => void): void;
  once(event: 'Tracing.tracingComplete', listener: () => void): void;
  send(method: 'Tracing.start' | 'Tracing.end', parameters?: unknown): Promise<unknown>;
  detach(): Promise<void>;
}

/** Tells the thread of the page from those of the browser's own pages. */
const mark = 'page-under-test';

/** The tasks of a page while `act` runs, after which it is still open: what Chromium's trace says of its main thread. */
export async function tasksDuring(page: Page, act: () => Promise<void>): Promise<PageTask[]> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('the page has no browser');
  const session = (await browser.newBrowserCDPSession()) as unknown as TracingSession;
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const isComplete = new Promise<void>((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', 'blink.user_timing'] },
  });
  await act();
  await page.evaluate(`performance.mark('${mark}')`);
  await session.send('Tracing.end');
  await isComplete;
  await session.detach();
  const marked = events.find(({ name }) => name === mark);
  if (marked === undefined) throw new Error(`no thread has the mark in ${events.length} events`);
  return events
    .filter(
      ({ name, pid, tid }) => name === 'ThreadControllerImpl::RunTask' && pid === marked.pid && tid === marked.tid,
    )
    .map(({ dur = 0, tdur = 0 }) => ({ wallMs: dur / 1000, cpuMs: tdur / 1000 }));
}
