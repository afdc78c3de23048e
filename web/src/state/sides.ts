import type { CompareState } from './page-state.ts';
import { resolveSpan, type Span } from './time-range.ts';
import { withLabel } from './query-text.ts';

/** What a side of a comparison asks for, and what it is called. */
export interface Side {
  readonly name: string;
  readonly query: string;
  readonly span: Span;
}

export interface VersionLife {
  readonly version: string;
  /** Unix milliseconds of the first and the last profile. */
  readonly firstSeen: number;
  readonly lastSeen: number;
}

export type Sides =
  | { readonly kind: 'ready'; readonly before: Side; readonly after: Side }
  | { readonly kind: 'no-service' }
  | { readonly kind: 'one-version'; readonly versions: readonly VersionLife[] }
  | { readonly kind: 'unclear'; readonly message: string };

const dayMs = 86_400_000;

/** Both sides of a comparison. `lives`: the versions of the service, newest first. */
export function sidesOf(state: CompareState, service: string, lives: readonly VersionLife[], nowMs: number): Sides {
  if (service === '') return { kind: 'no-service' };
  const named = withLabel('', 'service_name', service);
  const selector = state.env === '' ? named : withLabel(named, 'deployment_environment_name', state.env);
  const ranges = rangesOf(state);
  if (state.how === 'ranges' || hasOwnRanges(state)) {
    const before = resolveSpan(ranges.before_from, ranges.before_until, nowMs);
    const after = resolveSpan(ranges.after_from, ranges.after_until, nowMs);
    if (!before.ok) return { kind: 'unclear', message: `Before. ${before.message}` };
    if (!after.ok) return { kind: 'unclear', message: `After. ${after.message}` };
    const query = state.type + selector;
    if (hasOwnRanges(state)) return versionsWithin(state, selector, { before: before.span, after: after.span }, lives);
    return {
      kind: 'ready',
      before: { name: 'the earlier range', query, span: before.span },
      after: { name: 'the later range', query, span: after.span },
    };
  }
  const { before, after } = chosenVersions(state, lives);
  if (before === null || after === null) return { kind: 'one-version', versions: lives };
  const limits = state.from === '' ? null : resolveSpan(state.from, state.until, nowMs);
  if (limits?.ok === false) return { kind: 'unclear', message: limits.message };
  const side = (version: string): Side => ({
    name: version,
    query: state.type + withLabel(selector, 'service_version', version),
    span:
      limits?.ok === true
        ? limits.span
        : lifeSpan(
            lives.find((one) => one.version === version),
            nowMs,
          ),
  });
  return { kind: 'ready', before: side(before), after: side(after) };
}

type Ranges = Pick<CompareState, 'before_from' | 'before_until' | 'after_from' | 'after_until'>;

/** What stands where no range is given: the last hour against the one before it. */
export function rangesOf(state: Ranges): Ranges {
  const { before_from, before_until, after_from, after_until } = state;
  return {
    before_from: before_from || 'now-2h',
    before_until: before_until || 'now-1h',
    after_from: after_from || 'now-1h',
    after_until: after_until || 'now',
  };
}

/** Both ranges forgotten. */
export const noRanges: Ranges = { before_from: '', before_until: '', after_from: '', after_until: '' };

/** Whether versions are compared, each in a range of its own. */
export function hasOwnRanges(state: Ranges & Pick<CompareState, 'how'>): boolean {
  return state.how === 'versions' && Object.keys(noRanges).every((name) => state[name as keyof Ranges] !== '');
}

function versionsWithin(
  state: CompareState,
  selector: string,
  spans: { readonly before: Span; readonly after: Span },
  lives: readonly VersionLife[],
): Sides {
  const { before, after } = chosenVersions(state, lives);
  if (before === null || after === null) return { kind: 'one-version', versions: lives };
  const side = (version: string, span: Span): Side => ({
    name: version,
    query: state.type + withLabel(selector, 'service_version', version),
    span,
  });
  return { kind: 'ready', before: side(before, spans.before), after: side(after, spans.after) };
}

/** What the URL names, else the newest version and the one before it. */
export function chosenVersions(
  state: Pick<CompareState, 'before' | 'after'>,
  lives: readonly VersionLife[],
): { before: string | null; after: string | null } {
  const after = state.after !== '' ? state.after : (lives.find((one) => one.version !== state.before)?.version ?? null);
  if (state.before !== '') return { before: state.before, after };
  const place = lives.findIndex((one) => one.version === after);
  const older = lives[place + 1] ?? lives.find((one) => one.version !== after);
  return { before: older?.version ?? null, after };
}

/** The last day of a version's life; the end is exclusive, hence the second after the last profile's time. */
function lifeSpan(life: VersionLife | undefined, nowMs: number): Span {
  if (life === undefined) return { fromMs: nowMs - dayMs, untilMs: nowMs };
  const untilMs = Math.floor(life.lastSeen) + 1000;
  return { fromMs: Math.max(Math.floor(life.firstSeen), untilMs - dayMs), untilMs };
}
