import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { serverNow } from '../data/server-clock.ts';
import { type Span, isLive, resolveSpan } from '../state/time-range.ts';

export interface SpanState {
  /** Null when the URL's times are not understood; `message` says why. */
  readonly span: Span | null;
  readonly message: string | null;
  /** Asks again, with the clock of now. */
  readonly refresh: () => void;
  /** Changes with each refresh: part of the key of what is loaded. */
  readonly tick: number;
}

/** The range in milliseconds, held still until it is changed or refreshed. */
export function useSpan(from: string, until: string): SpanState {
  const [tick, setTick] = useState(0);
  const refresh = useCallback(() => setTick((last) => last + 1), []);
  const resolved = useMemo(() => resolveSpan(from, until, serverNow()), [from, until, tick]);
  return resolved.ok
    ? { span: resolved.span, message: null, refresh, tick }
    : { span: null, message: resolved.message, refresh, tick };
}

/** Refreshes every `everyMs` while the page is looked at and the range ends now. */
export function useAutoRefresh(refresh: () => void, until: string, active: boolean, everyMs = 10_000): void {
  useEffect(() => {
    if (!active || !isLive(until)) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') refresh();
    }, everyMs);
    return () => clearInterval(timer);
  }, [refresh, until, active, everyMs]);
}
