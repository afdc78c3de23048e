import type { http } from '@everflame/protocols';

type Finding = Pick<http.Finding, 'at' | 'service' | 'environment' | 'verdict' | 'part'>;

const isMore = ({ verdict }: Finding): boolean => verdict === 'regressed' || verdict === 'new';

/** The newest change first; what one change has done from the worst to the best: what costs more, the larger part of the service first, then what costs less. */
export function inOrder<F extends Finding>(findings: readonly F[]): readonly F[] {
  const size = ({ part }: Finding) => Math.abs(part ?? 0);
  return findings.toSorted(
    (a, b) =>
      b.at - a.at ||
      compare(a.service, b.service) ||
      compare(a.environment, b.environment) ||
      Number(isMore(b)) - Number(isMore(a)) ||
      size(b) - size(a),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
