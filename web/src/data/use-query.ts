import type { http } from '@everflame/protocols';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer } from './api.ts';

/** What is known of an answer. While a newer one is on its way, the last one stays, so that nothing jumps. */
export interface Loaded<T> {
  readonly value: T | null;
  readonly problem: http.Problem | null;
  readonly loading: boolean;
}

/**
 * Loads when `key` changes and cancels what is no longer wanted. A null key asks for nothing and forgets what was there.
 * `load` throws only when aborted or for a bug, which is shown as a problem of this page.
 */
export function useQuery<T>(key: string | null, load: (signal: AbortSignal) => Promise<Answer<T>>): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({ value: null, problem: null, loading: key !== null });
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    if (key === null) {
      setState({ value: null, problem: null, loading: false });
      return undefined;
    }
    const abort = new AbortController();
    setState((last) => ({ ...last, loading: true }));
    latest.current(abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return;
        if (answer.ok) setState({ value: answer.value, problem: null, loading: false });
        else setState((last) => ({ value: last.value, problem: answer.problem, loading: false }));
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setState((last) => ({ value: last.value, problem: bugReport(error), loading: false }));
      },
    );
    return () => abort.abort();
  }, [key]);
  return state;
}

function bugReport(error: unknown): http.Problem {
  const detail = `${error instanceof Error ? error.message : String(error)}. Please report this as a bug of Everflame.`;
  return { type: 'about:blank', title: 'The page stumbled over the answer', status: 0, code: 'page_bug', detail };
}
