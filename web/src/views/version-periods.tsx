import type { http } from '@everflame/protocols';
import { ago, plural, timeOfDay } from './format.ts';

type Period = http.DeploymentPeriod;

const kinds: Readonly<Record<Period['kind'], string>> = {
  first: 'first seen',
  rollout: 'rolled out at once',
  rolling: 'rolled out host by host',
  canary: 'canary',
  rollback: 'rolled back to',
  return: 'came back',
};
const states: Readonly<Record<Period['state'], string>> = {
  live: 'live',
  withdrawn: 'withdrawn',
  replaced: 'replaced',
  ended: 'ended',
};
const looks: Readonly<Record<Period['state'], string>> = {
  live: 'is-live',
  withdrawn: 'is-more',
  replaced: 'is-calm',
  ended: 'is-calm',
};

/** How a version came to be live and what became of it, the newest period first; the older ones as a number. */
export function VersionPeriods({ periods, nowMs }: { periods: readonly Period[]; nowMs: number }) {
  const newest = periods.toReversed();
  return (
    <ul class="periods">
      {newest.slice(0, most).map((one) => (
        <li key={one.from} title={`${timeOfDay(one.from, nowMs)} to ${timeOfDay(one.until, nowMs)}`}>
          <span class={`tag verdict ${looks[one.state]}`}>{states[one.state]}</span> {periodText(one)},{' '}
          {ago(one.from, nowMs)} · <span title={one.hosts.join('\n')}>{plural(one.hosts.length, 'host')}</span>
        </li>
      ))}
      {newest.length > most && <li class="hint">{plural(newest.length - most, 'earlier period')}</li>}
    </ul>
  );
}

const most = 3;

export function periodText({ kind, replaces }: Period): string {
  const text = kinds[kind];
  if (replaces === null || replaces === '') return text;
  return kind === 'canary' ? `${text} beside ${replaces}` : `${text}, in place of ${replaces}`;
}
