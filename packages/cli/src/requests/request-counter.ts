import { parseSelector, type Selector } from '@everflame/profile';
import { CommandFailure, exitCodes } from '../failure.ts';
import { sumOfMetric } from './prometheus-text.ts';

const timeoutMs = 5000;
/** A page of metrics is some KB, of large programs a few MB. */
const maxPageBytes = 16 * 1024 * 1024;

/** Requests that a counter counted between two readings. */
export interface CountedRequests {
  readonly requests: number;
  /** Between the readings, by this process's clock. */
  readonly seconds: number;
}

/** A counter of requests on a page of metrics, as it stood when it was read first. */
export class RequestCounter {
  readonly #url: URL;
  readonly #selector: Selector;
  readonly #text: string;
  #start = { value: 0, timeMs: 0 };

  private constructor(url: URL, selector: Selector, text: string) {
    this.#url = url;
    this.#selector = selector;
    this.#text = text;
  }

  /**
   * Reads it for the first time. `counter`: the metric's name and labels, `http_requests_total{route="/cart"}`; all series that fit are added up.
   * Throws CommandFailure with exit code 2 when the page cannot be read or has no such series.
   */
  static async open(url: URL, counter: string): Promise<RequestCounter> {
    const parsed = parseSelector(counter);
    if (!parsed.ok) throw usage(`${counter} is no metric: ${parsed.error.message}`);
    if (parsed.selector.profileType === undefined) throw usage(`${counter} names no metric`);
    const opened = new RequestCounter(url, parsed.selector, counter);
    opened.#start = await opened.#read();
    return opened;
  }

  /** What was counted since it was opened. Throws CommandFailure with exit code 2, also when the counter went backwards. */
  async counted(): Promise<CountedRequests> {
    const { value, timeMs } = await this.#read();
    const requests = value - this.#start.value;
    if (requests < 0) throw usage(`${this.#text} went backwards: what counts was started anew`);
    return { requests, seconds: (timeMs - this.#start.timeMs) / 1000 };
  }

  async #read(): Promise<{ value: number; timeMs: number }> {
    const page = await readPage(this.#url);
    const value = sumOfMetric(page, this.#selector);
    if (value === null) throw usage(`${this.#url.href} has no series of ${this.#text}`);
    return { value, timeMs: performance.now() };
  }
}

async function readPage(url: URL): Promise<string> {
  const what = `requests cannot be counted: ${url.href}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), headers: { accept: 'text/plain' } });
    if (!response.ok || response.body === null) throw usage(`${what} answered ${response.status}`);
    const decoder = new TextDecoder();
    let [page, bytes] = ['', 0];
    for await (const chunk of response.body) {
      bytes += chunk.length;
      if (bytes > maxPageBytes) throw usage(`${what} has more than ${maxPageBytes >> 20} MiB`);
      page += decoder.decode(chunk, { stream: true });
    }
    return page;
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw usage(`${what} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function usage(message: string): CommandFailure {
  return new CommandFailure(message, exitCodes.usage);
}
