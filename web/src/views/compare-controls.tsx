import { serverNow } from '../data/server-clock.ts';
import type { CompareState } from '../state/page-state.ts';
import { chosenVersions, hasOwnRanges, noRanges, rangesOf, type VersionLife } from '../state/sides.ts';
import { resolveSpan } from '../state/time-range.ts';
import { ago, timeOfDay } from './format.ts';
import { RangePicker } from './range-picker.tsx';
import { Segmented } from './show-switch.tsx';

interface Props {
  readonly state: CompareState;
  readonly service: string;
  readonly services: readonly string[];
  readonly lives: readonly VersionLife[];
  readonly change: (part: Partial<CompareState>) => void;
  readonly onRefresh: () => void;
}

/** Service, and what is before and after. */
export function CompareControls({ state, service, services, lives, change, onRefresh }: Props) {
  const chosen = chosenVersions(state, lives);
  const names = service === '' || services.includes(service) ? services : [service, ...services];
  const version = (side: 'before' | 'after', label: string) => (
    <label class="field">
      <span>{label}</span>
      <select
        value={chosen[side] ?? ''}
        onChange={(event) =>
          change({
            service,
            before: chosen.before ?? '',
            after: chosen.after ?? '',
            [side]: event.currentTarget.value,
            ...noRanges,
            zoom: '',
          })
        }
      >
        {chosen[side] === null && <option value="">none</option>}
        {withChosen(lives, chosen[side]).map((one) => (
          <option key={one.version} value={one.version}>
            {one.version}
            {one.firstSeen > 0 ? ` (first seen ${ago(one.firstSeen, serverNow())})` : ''}
          </option>
        ))}
      </select>
    </label>
  );
  const range = (side: 'before' | 'after', label: string) => {
    const ranges = rangesOf(state);
    const from = ranges[`${side}_from`];
    const until = ranges[`${side}_until`];
    const span = resolveSpan(from, until, serverNow());
    return (
      <div class="field">
        <span aria-hidden="true">{label}</span>
        <RangePicker
          label={label}
          from={from}
          until={until}
          span={span.ok ? span.span : null}
          problem={span.ok ? null : span.message}
          onChange={(nextFrom, nextUntil) =>
            change({ service, ...ranges, [`${side}_from`]: nextFrom, [`${side}_until`]: nextUntil })
          }
        />
      </div>
    );
  };
  const limits = state.from === '' ? null : resolveSpan(state.from, state.until, serverNow());
  return (
    <div class="toolbar">
      <div class="query-bar">
        <label class="field">
          <span>Service</span>
          <select
            value={service}
            onChange={(event) =>
              change({ service: event.currentTarget.value, before: '', after: '', env: '', ...noRanges, zoom: '' })
            }
          >
            {names.length === 0 && <option value="">none yet</option>}
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <div class="field">
          <span aria-hidden="true">Compare</span>
          <Segmented
            label="Compare"
            value={state.how}
            choices={[
              ['versions', 'Versions'],
              ['ranges', 'Times'],
            ]}
            onChange={(how) => change({ how, service, ...noRanges, zoom: '' })}
          />
        </div>
        {state.how === 'versions' ? (
          <>
            {version('before', 'Before')}
            {version('after', 'After')}
          </>
        ) : (
          <>
            {range('before', 'Before')}
            {range('after', 'After')}
          </>
        )}
        <div class="field">
          <span aria-hidden="true">&nbsp;</span>
          <button
            type="button"
            class="button"
            title="After becomes before, before becomes after"
            onClick={() => change(swapped(state, service, chosen))}
          >
            Swap
          </button>
        </div>
      </div>
      {state.how === 'versions' && (
        <div class="field">
          <span aria-hidden="true">Within</span>
          {hasOwnRanges(state) ? (
            <span class="range-picker">
              <button
                type="button"
                class="button"
                title={ownRangesText(state)}
                onClick={() => change({ ...noRanges, from: '', until: 'now' })}
              >
                As long before as after
              </button>
              <span class="hint">Click for the last day of each</span>
            </span>
          ) : state.from === '' ? (
            <span class="range-picker">
              <button
                type="button"
                class="button"
                title="Limit both to one time range"
                onClick={() => change({ from: 'now-24h', until: 'now' })}
              >
                Last day of each
              </button>
              <button type="button" class="button icon" title="Load again" onClick={onRefresh}>
                <span aria-hidden="true">↻</span>
                <span class="visually-hidden">Refresh</span>
              </button>
            </span>
          ) : (
            <span class="range-picker">
              <RangePicker
                from={state.from}
                until={state.until}
                span={limits?.ok === true ? limits.span : null}
                problem={limits?.ok === false ? limits.message : null}
                onChange={(from, until) => change({ from, until })}
                onRefresh={onRefresh}
              />
              <button type="button" class="button" onClick={() => change({ from: '', until: 'now' })}>
                All
              </button>
            </span>
          )}
        </div>
      )}
    </div>
  );
}

/** The ranges in words. */
function ownRangesText(state: CompareState): string {
  const nowMs = serverNow();
  const text = (side: 'before' | 'after') => {
    const span = resolveSpan(state[`${side}_from`], state[`${side}_until`], nowMs);
    return span.ok ? `${timeOfDay(span.span.fromMs, nowMs)} to ${timeOfDay(span.span.untilMs, nowMs)}` : span.message;
  };
  return `Before: ${text('before')}. After: ${text('after')}`;
}

function withChosen(lives: readonly VersionLife[], chosen: string | null): readonly VersionLife[] {
  if (chosen === null || lives.some((one) => one.version === chosen)) return lives;
  return [{ version: chosen, firstSeen: 0, lastSeen: 0 }, ...lives];
}

function swapped(
  state: CompareState,
  service: string,
  chosen: { before: string | null; after: string | null },
): Partial<CompareState> {
  const isOfVersions = state.how === 'versions';
  const versions = isOfVersions ? { before: chosen.after ?? '', after: chosen.before ?? '' } : {};
  if (isOfVersions && !hasOwnRanges(state)) return { service, ...versions };
  const { before_from, before_until, after_from, after_until } = rangesOf(state);
  return {
    service,
    ...versions,
    before_from: after_from,
    before_until: after_until,
    after_from: before_from,
    after_until: before_until,
  };
}
