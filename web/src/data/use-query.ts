import type { http } from '@everflame/protocols';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Answer } from './api.ts';

/** What is known of an answer. While a newer one is on its way, the last one stays, so that nothing jumps. */
export interface Loaded<T> {
  readonly value: T | null;
  readonly problem: http.Problem | null;
  readonly loading: boolean;
  /** Ends the request; what was there stays. Left out where there is nothing to end. */
  readonly cancel?: () => void;
}

/**
 * Loads when `key` changes and cancels what is no longer wanted. A null key asks for nothing and forgets what was there.
 * `load` throws only when aborted or for a bug, which is shown as a problem of this page.
 */
export function useQuery<T>(key: string | null, load: (signal: AbortSignal) => Promise<Answer<T>>): Loaded<T> {
  const [state, setState] = useState<Answered<T>>({ key: null, value: null, problem: null });
  const latest = useRef(load);
  latest.current = load;
  const running = useRef<AbortController | null>(null);
  useEffect(() => {
    if (key === null) {
      setState({ key, value: null, problem: null });
      return undefined;
    }
    const abort = new AbortController();
    running.current = abort;
    const fail = (problem: http.Problem) => setState((last) => ({ key, value: last.value, problem }));
    latest.current(abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return;
        if (answer.ok) setState({ key, value: answer.value, problem: null });
        else fail(answer.problem);
      },
      (error: unknown) => {
        if (!abort.signal.aborted) fail(bugReport(error));
      },
    );
    return () => abort.abort();
  }, [key]);
  const cancel = useCallback(() => {
    running.current?.abort();
    setState((last) => ({ key, value: last.value, problem: cancelled }));
  }, [key]);
  // Told from the key and not remembered, so that not one frame shows an old answer as the new one.
  return { value: state.value, problem: state.problem, loading: state.key !== key, cancel };
}

const cancelled: http.Problem = {
  type: 'about:blank',
  title: 'Cancelled',
  status: 0,
  code: 'cancelled',
  detail: 'It was not loaded to its end. A shorter time range or a narrower selector takes less.',
};

interface Answered<T> {
  readonly key: string | null;
  readonly value: T | null;
  readonly problem: http.Problem | null;
}

function bugReport(error: unknown): http.Problem {
  const detail = `${error instanceof Error ? error.message : String(error)}. Please report this as a bug of Everflame.`;
  return { type: 'about:blank', title: 'The page stumbled over the answer', status: 0, code: 'page_bug', detail };
}
