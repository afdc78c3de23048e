import { NO_GROUP } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { ComponentChildren } from 'preact';
import { useCallback, useMemo } from 'preact/hooks';
import type { MergedTree } from '../data/queries.ts';
import type { FlamegraphState } from '../state/page-state.ts';
import { joinQuery, splitQuery, withLabel } from '../state/query-text.ts';
import type { Span } from '../state/time-range.ts';
import { averageOf, stepsOf } from '../tree/average.ts';
import { formatFocus, parseFocus } from '../tree/focus-code.ts';
import { functionRows } from '../tree/function-rows.ts';
import { type Focus, type Layout, type Row, membersOf, wholeTree } from '../tree/layout.ts';
import { heaviestFirst, widthsOf } from '../tree/order.ts';
import { PathIds } from '../tree/path-id.ts';
import { exactly, findMatches, parsePattern } from '../tree/search.ts';
import { shareOf, sumOf } from '../tree/sums.ts';
import { Breadcrumb } from '../views/breadcrumb.tsx';
import { kindColour } from '../views/colours.ts';
import { DownloadMenu } from '../views/download-menu.tsx';
import { FlameGraph } from '../views/flame-graph.tsx';
import { amount, cores, coresNumber, exact, percent, plural, span as spanText } from '../views/format.ts';
import { FrameHead, hiddenBelow, rowLabel } from '../views/frame-text.tsx';
import { FunctionTable } from '../views/function-table.tsx';
import { KindLegend } from '../views/kind-legend.tsx';
import { SearchBox } from '../views/search-box.tsx';
import { ShowSwitch } from '../views/show-switch.tsx';
import { useEscape } from '../views/use-escape.ts';
import { ValueTable } from '../views/value-table.tsx';

interface Props {
  readonly merged: MergedTree;
  readonly overTime: http.QueryRangeAnswer | null;
  readonly state: FlamegraphState;
  readonly span: Span | null;
  readonly change: (part: Partial<FlamegraphState>, how?: 'push' | 'replace') => void;
  /** A newer answer is on its way. */
  readonly stale: boolean;
}

/** The picture and the table of one merged tree, on the same zoom and the same search. */
export function FlamegraphPanel({ merged, overTime, state, span, change, stale }: Props) {
  const { unit } = merged;
  const widths = useMemo(() => widthsOf(merged.tree.weights), [merged]);
  const tree = useMemo(() => heaviestFirst(merged.tree, widths), [merged, widths]);
  const ids = useMemo(() => new PathIds(tree), [tree]);
  const found = useMemo(() => parseFocus(state.zoom, ids), [state.zoom, ids]);
  const focus = found ?? wholeTree;
  const members = useMemo(() => membersOf(tree, widths, focus), [tree, widths, focus]);
  const shown = useMemo(() => sumOf(tree.weights, members), [tree, members]);
  const whole = tree.weights.total[0] ?? 0n;
  const average = useMemo(() => (overTime === null ? null : averageOf(stepsOf(overTime))), [overTime]);
  const pattern = useMemo(() => (state.search === '' ? null : parsePattern(state.search)), [state.search]);
  const matches = useMemo(
    () => (pattern?.ok === true ? findMatches(tree, tree.weights, members, pattern.test) : null),
    [pattern, tree, members],
  );
  const isTableShown = state.show !== 'graph';
  const rows = useMemo(
    () => (isTableShown ? functionRows(tree, tree.weights, members) : []),
    [tree, members, isTableShown],
  );
  const { by, search } = state;

  const zoom = useCallback((next: Focus) => change({ zoom: formatFocus(next, ids) }), [change, ids]);
  useEscape(() => change({ zoom: '' }), state.zoom !== '');

  const coresFor = (value: bigint): string | null =>
    unit === 'nanoseconds' && average !== null ? coresNumber(shareOf(value, whole) * average.rate) : null;
  const labelOf = useCallback((row: Row) => rowLabel(tree, row, widths[0] ?? 0, by), [tree, widths, by]);
  const colourOf = useCallback(
    (row: Row, dark: boolean) => {
      const frame = tree.frame[row.node] ?? 0;
      if (row.rest > 0) return kindColour('group', '', dark);
      return kindColour(
        tree.frames.kind[frame] ?? 'native',
        tree.frames.binary[frame] || tree.frames.name[frame] || '',
        dark,
      );
    },
    [tree],
  );
  const describe = (row: Row, layout: Layout): ComponentChildren => {
    const sum = sumOf(tree.weights, membersOf(tree, widths, row));
    const below = hiddenBelow(layout, row);
    const line = (name: string, value: bigint, samples: number | null) => ({
      name,
      cells: [
        coresFor(value),
        amount(value, unit),
        percent(shareOf(value, whole)),
        samples === null ? '' : exact(samples),
      ],
    });
    const self = row.rest > 0 ? [] : [line('Self', sum.self, tree.weights.selfSamples[row.node] ?? 0)];
    return (
      <>
        <FrameHead tree={tree} widths={widths} row={row} groupLabel={by} />
        <ValueTable
          columns={[
            average === null || unit !== 'nanoseconds' ? null : 'Cores',
            unit === 'nanoseconds' ? 'Time' : 'Value',
            'Share',
            'Samples',
          ]}
          lines={[line('Total', sum.total, sum.samples), ...self]}
        />
        {state.zoom !== '' && <p class="tip-source">{percent(shareOf(sum.total, shown.total))} of what is zoomed to</p>}
        {below !== null && <p class="tip-hint">{below}</p>}
      </>
    );
  };

  const groupFrame = by === '' ? null : groupAbove(tree, focus);
  const { type, selector } = splitQuery(state.query);
  const searchResult = (): string => {
    if (pattern === null) return '';
    if (!pattern.ok) return `Not a regular expression: ${pattern.message}`;
    if (matches === null) return '';
    return `${plural(matches.functions, 'function')}, ${percent(shareOf(matches.union.total, shown.total))} of the samples' ${unit === 'nanoseconds' ? 'time' : 'value'} (${amount(matches.union.total, unit)})`;
  };
  return (
    <section class={`panel${stale ? ' is-stale' : ''}`} aria-busy={stale}>
      <p class="summary">
        {average !== null && unit === 'nanoseconds' && (
          <span title={`Average over the ${spanText(average.overMs)} that have data`}>
            <b>{cores(shareOf(shown.total, whole) * average.rate)}</b> on average
          </span>
        )}
        <span title={`${exact(shown.total)} ${unit}`}>
          <b>{amount(shown.total, unit)}</b>
          {unit === 'nanoseconds' ? ' of CPU' : ''}
        </span>
        <span>
          <b>{exact(shown.samples)}</b> samples
        </span>
        <span>
          <b>{exact(merged.profiles)}</b> {merged.profiles === 1 ? 'profile' : 'profiles'}
        </span>
        {(focus.node !== 0 || focus.rest > 0) && <span>{percent(shareOf(shown.total, whole))} of all</span>}
      </p>
      <div class="panel-tools">
        <SearchBox
          value={search}
          label="Search functions"
          onInput={(text) => change({ search: text }, 'replace')}
          result={searchResult()}
          isWrong={pattern?.ok === false}
        />
        <ShowSwitch value={state.show} onChange={(show) => change({ show })} />
        <DownloadMenu query={state.query} span={span} />
      </div>
      <div class={`panel-body show-${state.show}`}>
        <div class="flame-box">
          <Breadcrumb tree={tree} focus={focus} groupLabel={by} onFocus={zoom} />
          {found === null && <p class="hint">The zoom of this link is not in this range: showing everything.</p>}
          {groupFrame !== null && (
            <p class="hint">
              <button
                type="button"
                class="button"
                onClick={() =>
                  change({
                    query: joinQuery({
                      type,
                      selector: withLabel(selector, by, groupFrame === NO_GROUP ? '' : groupFrame),
                    }),
                    by: '',
                    zoom: '',
                  })
                }
              >
                Show only {by} = {groupFrame}
              </button>
            </p>
          )}
          <FlameGraph
            name="Flame graph"
            tree={tree}
            widths={widths}
            focus={focus}
            onFocus={zoom}
            labelOf={labelOf}
            colourOf={colourOf}
            describe={describe}
            matches={matches?.frames ?? null}
          />
          <KindLegend tree={tree} />
        </div>
        <FunctionTable
          rows={rows}
          whole={shown.total}
          unit={unit}
          sort={state.sort}
          onSort={(sort) => change({ sort: sort as FlamegraphState['sort'] }, 'replace')}
          filter={state.filter}
          onFilter={(filter) => change({ filter }, 'replace')}
          matches={pattern?.ok === true ? pattern.test : null}
          onRow={(row) => change({ search: exactly(row.name) }, 'replace')}
        />
      </div>
    </section>
  );
}

/** Value of the group that the zoom lies in. */
function groupAbove(tree: MergedTree['tree'], focus: Focus): string | null {
  let node = focus.node;
  while (node !== 0) {
    const frame = tree.frame[node] ?? 0;
    if (tree.frames.kind[frame] === 'group') return tree.frames.name[frame] ?? null;
    node = tree.parent[node] ?? 0;
  }
  return null;
}
