import type { http } from '@everflame/protocols';

const looks: Readonly<Record<http.CompareVerdict, string>> = {
  regressed: 'is-more',
  improved: 'is-less',
  new: 'is-new',
  gone: 'is-gone',
  moved: 'is-moved',
  unchanged: 'is-calm',
  'not enough data': 'is-calm',
  'weak evidence': 'is-calm',
};

/** The class of a finding's verdict. */
export const findingLooks: Readonly<Record<http.Finding['verdict'], string>> = {
  regressed: looks.regressed,
  improved: looks.improved,
  new: looks.new,
  gone: looks.gone,
};

/** A verdict in a word; the sentence behind it on hover. */
export function VerdictTag({ one }: { one: Pick<http.CompareFunction, 'verdict' | 'verdictText' | 'lean'> }) {
  const lean = one.lean === null ? '' : ` (leans to ${one.lean})`;
  return (
    <span class={`tag verdict ${looks[one.verdict]}`} title={one.verdictText + lean}>
      {one.verdict}
    </span>
  );
}

/** A relative change with its sign, "+30.1 %". */
export function relative(change: number): string {
  return `${change < 0 ? '−' : '+'}${(Math.abs(change) * 100).toFixed(1)} %`;
}

export function relativeInterval([low, high]: readonly [number, number | null]): string {
  return `${relative(low)} to ${high === null ? 'any' : relative(high)}`;
}
