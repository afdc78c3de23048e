import type { Span } from '../state/time-range.ts';
import { isLive } from '../state/time-range.ts';
import { loadStatus } from './queries.ts';
import { type Loaded, useQuery } from './use-query.ts';
import type { http } from '@everflame/protocols';

const leastMs = 120_000;

/**
 * A range that ends now begins with the store's first profile at the earliest, and two minutes back at the latest: an hour of
 * which one minute was profiled is shown as that minute, in its finest steps. What is selected does not change by it.
 */
export function fromFirstProfile(span: Span, until: string, oldestMs: number | null): Span {
  if (!isLive(until) || oldestMs === null) return span;
  const fromMs = Math.max(span.fromMs, Math.min(Math.floor(oldestMs), span.untilMs - leastMs));
  return { ...span, fromMs: Math.min(fromMs, span.untilMs - 1) };
}

export interface StoreStart {
  /** Null until the store has said when it begins. */
  readonly span: Span | null;
  readonly status: Loaded<http.StatusAnswer>;
}

/** The range to ask for. A store that does not say when it begins is asked for the whole range. */
export function useStoreStart(span: Span | null, until: string, tick: number): StoreStart {
  const status = useQuery(`status ${tick}`, async (signal) => loadStatus(signal));
  if (span === null) return { span: null, status };
  if (status.value !== null) return { span: fromFirstProfile(span, until, status.value.storage.oldest), status };
  return { span: status.problem === null ? null : span, status };
}
