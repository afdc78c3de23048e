import type { DiffSide } from '../data/diff-result.ts';
import type { Side } from '../state/sides.ts';
import type { Average } from '../tree/average.ts';
import { amount, cores, exact, span as spanText, timeOfDay } from './format.ts';
import { Link } from './link.tsx';

interface Props {
  readonly title: string;
  readonly side: Side;
  readonly sum: DiffSide;
  readonly average: Average | null;
  readonly unit: string;
  /** Null: there is no page of it. */
  readonly href: string | null;
}

/** What a side amounts to, and the way to its own flame graph. */
export function SideSummary({ title, side, sum, average, unit, href }: Props) {
  return (
    <article class="side">
      <h3>
        <span class="hint">{title}</span> {side.name}
      </h3>
      <p class="summary">
        {average !== null && unit === 'nanoseconds' && (
          <span title={`Average over ${spanText(average.overMs)} that have data`}>
            <b>{cores(average.rate)}</b>
          </span>
        )}
        <span title={`${exact(BigInt(sum.total))} ${unit}`}>
          <b>{amount(BigInt(sum.total), unit)}</b>
        </span>
        <span>
          <b>{exact(sum.samples)}</b> samples
        </span>
        <span>
          <b>{exact(sum.profiles)}</b> {sum.profiles === 1 ? 'profile' : 'profiles'}
        </span>
      </p>
      {href !== null && (
        <p class="hint">
          {timeOfDay(side.span.fromMs)} – {timeOfDay(side.span.untilMs)} ·{' '}
          <Link href={href}>flame graph of this side</Link>
        </p>
      )}
    </article>
  );
}
