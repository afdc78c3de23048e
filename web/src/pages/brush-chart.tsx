import { useMemo } from 'preact/hooks';
import { loadRange } from '../data/queries.ts';
import { useQuery } from '../data/use-query.ts';
import type { CompareState } from '../state/page-state.ts';
import { withLabel } from '../state/query-text.ts';
import { rangesOf, type Side } from '../state/sides.ts';
import type { Span } from '../state/time-range.ts';
import { changeColour } from '../views/colours.ts';
import { RangeChart } from '../views/range-chart.tsx';
import { Segmented } from '../views/show-switch.tsx';
import { isDark } from '../views/theme.ts';

interface Props {
  readonly service: string;
  readonly state: CompareState;
  readonly sides: { readonly before: Side; readonly after: Side };
  readonly change: (part: Partial<CompareState>) => void;
  readonly tick: number;
}

/** Both ranges on one chart of the service; a drag sets the side that is chosen. */
export function BrushChart({ service, state, sides, change, tick }: Props) {
  const { before, after } = sides;
  const span = useMemo((): Span => {
    const fromMs = Math.min(before.span.fromMs, after.span.fromMs);
    const untilMs = Math.max(before.span.untilMs, after.span.untilMs);
    // Room at both ends, so that a side can be drawn wider.
    const room = Math.ceil((untilMs - fromMs) / 10);
    return { fromMs: fromMs - room, untilMs: untilMs + room };
  }, [before.span.fromMs, before.span.untilMs, after.span.fromMs, after.span.untilMs]);
  const query = state.type + withLabel('', 'service_name', service);
  const overTime = useQuery(JSON.stringify([query, span, tick]), async (signal) => loadRange(query, span, '', signal));
  const dark = isDark.value;
  const marked = useMemo(
    () => [
      { ...before.span, label: 'before', colour: changeColour(-1, dark) },
      { ...after.span, label: 'after', colour: changeColour(1, dark) },
    ],
    [before.span.fromMs, before.span.untilMs, after.span.fromMs, after.span.untilMs, dark],
  );
  return (
    <section class="brush-chart" aria-label="Choose both ranges">
      <div class="field is-inline">
        <span aria-hidden="true">Dragging sets</span>
        <Segmented
          label="Dragging over the chart sets"
          value={state.brush}
          choices={[
            ['before', 'Before'],
            ['after', 'After'],
          ]}
          onChange={(brush) => change({ brush })}
        />
      </div>
      <RangeChart
        answer={overTime.value}
        span={span}
        by=""
        loading={overTime.loading}
        sides={marked}
        onPick={() => undefined}
        onBrush={({ fromMs, untilMs }) =>
          change({
            service,
            ...rangesOf(state),
            [`${state.brush}_from`]: String(fromMs),
            [`${state.brush}_until`]: String(untilMs),
            zoom: '',
          })
        }
      />
    </section>
  );
}
