import type { http } from '@everflame/protocols';
import type { Span } from '../state/time-range.ts';

/** When versions of a service (empty: of every service) were first seen or marked within a range, in order of time. */
export function chartMarks(
  answer: http.DeploymentsAnswer | null,
  service: string,
  { fromMs, untilMs }: Span,
): { readonly at: number; readonly label: string }[] {
  if (answer === null) return [];
  return answer.deployments
    .filter((one) => (service === '' || one.service === service) && one.version !== '')
    .flatMap((one) => {
      const label = service === '' ? `${one.service} ${one.version}` : one.version;
      const marked = one.marks.map(({ at }) => ({ at, label }));
      return one.firstSeen === null || marked.length > 0 ? marked : [{ at: one.firstSeen, label }];
    })
    .filter(({ at }) => at >= fromMs && at < untilMs)
    .toSorted((a, b) => a.at - b.at);
}
