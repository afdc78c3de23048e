import type { http } from '@everflame/protocols';
import { useRef } from 'preact/hooks';
import type { Span } from '../state/time-range.ts';
import { loadServices } from './queries.ts';
import { type Loaded, useQuery } from './use-query.ts';

export interface Services extends Loaded<http.ServicesAnswer> {
  /** The services are there, their functions are not yet. */
  readonly isWithoutFunctions: boolean;
}

const functionsOfEach = 3;

/**
 * Services with their functions. For these the server merges a tree per service, so the services alone are asked first and shown meanwhile. A refresh of
 * the same `selection` shows what was there until all of the new answer is.
 */
export function useServices(span: Span | null, selection: string, tick: number): Services {
  const key = span === null ? null : JSON.stringify([span, tick]);
  const asked = span ?? { fromMs: 0, untilMs: 1 };
  const last = useRef<{ readonly selection: string; readonly value: http.ServicesAnswer } | null>(null);
  const known = last.current?.selection === selection ? last.current.value : null;
  const alone = useQuery(known === null ? key : null, async (signal) => loadServices(asked, 0, signal));
  const isNext = known !== null || (alone.value !== null && !alone.loading);
  const whole = useQuery(isNext ? key : null, async (signal) => loadServices(asked, functionsOfEach, signal));
  if (whole.value !== null && !whole.loading) last.current = { selection, value: whole.value };
  const complete = last.current?.selection === selection ? last.current.value : null;
  return {
    value: complete ?? alone.value,
    problem: alone.problem ?? whole.problem,
    loading: whole.loading || alone.loading,
    isWithoutFunctions: complete === null && alone.value !== null,
  };
}
