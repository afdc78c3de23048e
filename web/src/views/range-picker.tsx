import { useState } from 'preact/hooks';
import { isLive, presets, type Span, shifted } from '../state/time-range.ts';
import { timeOfDay } from './format.ts';
import { Menu } from './menu.tsx';

interface Props {
  readonly from: string;
  readonly until: string;
  /** The same in milliseconds, null when it is not understood. */
  readonly span: Span | null;
  readonly problem: string | null;
  readonly onChange: (from: string, until: string) => void;
  readonly onRefresh?: (() => void) | undefined;
  readonly label?: string;
}

/** `datetime-local` wants local time without a zone. */
function toLocal(ms: number): string {
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 19);
}

function nameOf(from: string, until: string, span: Span | null): string {
  const preset = until === 'now' ? presets.find((one) => one.from === from) : undefined;
  if (preset !== undefined) return `Last ${preset.label}`;
  return span === null ? `${from} to ${until}` : `${timeOfDay(span.fromMs)} – ${timeOfDay(span.untilMs)}`;
}

/** Presets, steps back and forth, and two exact times. */
export function RangePicker({ from, until, span, problem, onChange, onRefresh, label = 'Time range' }: Props) {
  const [start, setStart] = useState('');
  const [end, setEnd] = useState('');
  const move = (direction: -1 | 1) => {
    if (span === null) return;
    const next = shifted(span, direction);
    onChange(String(Math.round(next.fromMs)), String(Math.round(next.untilMs)));
  };
  const onOpen = () => {
    if (span === null) return;
    setStart(toLocal(span.fromMs));
    setEnd(toLocal(span.untilMs));
  };
  const startMs = Date.parse(start);
  const endMs = Date.parse(end);
  const isOrdered = startMs < endMs;
  return (
    <div class="range-picker" role="group" aria-label={label}>
      <button type="button" class="button icon" title="Earlier, by the length of the range" onClick={() => move(-1)}>
        <span aria-hidden="true">‹</span>
        <span class="visually-hidden">Earlier</span>
      </button>
      <Menu label={nameOf(from, until, span)} title={problem ?? 'Choose a time range'} onOpen={onOpen}>
        {(close) => (
          <>
            <div class="preset-list">
              {presets.map((preset) => (
                <button
                  key={preset.from}
                  type="button"
                  class={`button${until === 'now' && preset.from === from ? ' is-on' : ''}`}
                  onClick={() => {
                    close();
                    onChange(preset.from, 'now');
                  }}
                >
                  Last {preset.label}
                </button>
              ))}
            </div>
            <form
              onSubmit={(event) => {
                event.preventDefault();
                if (!isOrdered) return;
                close();
                onChange(String(startMs), String(endMs));
              }}
            >
              <label>
                From
                <input
                  type="datetime-local"
                  step="1"
                  value={start}
                  onInput={(event) => setStart(event.currentTarget.value)}
                />
              </label>
              <label>
                Until
                <input
                  type="datetime-local"
                  step="1"
                  value={end}
                  onInput={(event) => setEnd(event.currentTarget.value)}
                />
              </label>
              <button type="submit" class="button is-primary" disabled={!isOrdered}>
                Show this range
              </button>
            </form>
          </>
        )}
      </Menu>
      <button
        type="button"
        class="button icon"
        title="Later, by the length of the range"
        disabled={isLive(until)}
        onClick={() => move(1)}
      >
        <span aria-hidden="true">›</span>
        <span class="visually-hidden">Later</span>
      </button>
      {onRefresh !== undefined && (
        <button type="button" class="button icon" title="Load again" onClick={onRefresh}>
          <span aria-hidden="true">↻</span>
          <span class="visually-hidden">Refresh</span>
        </button>
      )}
    </div>
  );
}
