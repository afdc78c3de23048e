import type { http } from '@everflame/protocols';
import { shortName } from './short-name.ts';
import { ago, exact, plural, timeOfDay } from './format.ts';
import { Link } from './link.tsx';
import { findingLooks, relative, relativeInterval } from './verdict-tag.tsx';

const closedReasons = {
  went_away: 'a later look no longer shows it',
  replaced: 'what it is about no longer runs',
} as const;

/** What the server has found, each a sentence that leads to exactly the comparison which shows it, and how sure it is. */
export function FindingList({ findings, nowMs }: { findings: readonly http.Finding[]; nowMs: number }) {
  return (
    <ul class="findings">
      {findings.map((one) => (
        <li key={one.id} class="finding">
          <p>
            <span class={`tag verdict ${findingLooks[one.verdict]}`}>{one.verdict}</span> <b>{one.service}</b>{' '}
            {one.environment !== '' && <span class="tag">{one.environment}</span>}{' '}
            <Link href={one.link} title="The comparison that shows it">
              {one.sentence}
            </Link>
          </p>
          <p class="finding-facts hint">
            <span title={timeOfDay(one.at, nowMs)}>changed {ago(one.at, nowMs)}</span>
            {factsOf(one).map((text) => (
              <span key={text}>{text}</span>
            ))}
            {one.closedAt !== null && (
              <span>
                closed {ago(one.closedAt, nowMs)}
                {one.closedReason !== null && `: ${closedReasons[one.closedReason]}`}
              </span>
            )}
          </p>
          {one.stack.length > 0 && (
            <p class="finding-stack hint" title={one.stack.join('\n')}>
              {one.stack.map(shortName).join(' › ')}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function factsOf(one: http.Finding): string[] {
  const { change, interval, part, q, units, samplesBefore, samplesAfter, others } = one;
  return [
    ...(change === null ? [] : [`${relative(change)}${interval === null ? '' : ` (${relativeInterval(interval)})`}`]),
    ...(part === null || one.function === '' ? [] : [`${relative(part)} of the service`]),
    ...(q === null ? [] : [`q ${q < 0.001 ? '< 0.001' : q.toFixed(3)}`]),
    ...(units === null ? [] : [`${plural(units, 'instance')} a side`]),
    ...(samplesBefore === null || samplesAfter === null
      ? []
      : [`${exact(samplesBefore)} samples before, ${exact(samplesAfter)} after`]),
    ...(others === 0 ? [] : [`${plural(others, 'other function')} with the same change`]),
  ];
}
