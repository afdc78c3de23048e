import type { http } from '@everflame/protocols';
import type { ComponentChildren } from 'preact';
import { useCallback, useMemo } from 'preact/hooks';
import type { DiffResult } from '../data/diff-result.ts';
import type { Loaded } from '../data/use-query.ts';
import { type CompareState, flamegraphHref } from '../state/page-state.ts';
import type { Side } from '../state/sides.ts';
import type { Average } from '../tree/average.ts';
import { minSamplesToColour, tiltOf } from '../tree/change.ts';
import { type SideWeight, compareFunctions, diffWidths, goneNodes } from '../tree/comparison.ts';
import { formatFocus, parseFocus } from '../tree/focus-code.ts';
import { type Focus, type Layout, type Row, membersOf, wholeTree } from '../tree/layout.ts';
import { PathIds } from '../tree/path-id.ts';
import { exactly, findMatches, parsePattern } from '../tree/search.ts';
import { shareOf, sumOf } from '../tree/sums.ts';
import { otherName, significantFrames, verdictsOf } from '../tree/verdicts.ts';
import { Breadcrumb } from '../views/breadcrumb.tsx';
import { ChangeLegend } from '../views/change-legend.tsx';
import { ChangeTable } from '../views/change-table.tsx';
import { changeColour, mutedColour } from '../views/colours.ts';
import { FlameGraph } from '../views/flame-graph.tsx';
import { amount, coresChange, coresNumber, exact, percent, plural, points } from '../views/format.ts';
import { FrameHead, hiddenBelow, rowLabel } from '../views/frame-text.tsx';
import { GoneList } from '../views/gone-list.tsx';
import { Headline } from '../views/headline.tsx';
import { headlineOf } from '../views/headline-text.ts';
import { SearchBox } from '../views/search-box.tsx';
import { Segmented } from '../views/show-switch.tsx';
import { SideSummary } from '../views/side-summary.tsx';
import { useEscape } from '../views/use-escape.ts';
import { relative, relativeInterval, VerdictTag } from '../views/verdict-tag.tsx';
import { ValueTable } from '../views/value-table.tsx';

interface Props {
  readonly diff: DiffResult;
  readonly sides: { readonly before: Side; readonly after: Side };
  readonly averages: { readonly before: Average | null; readonly after: Average | null };
  /** What the statistics say; its problem is told where they would stand. */
  readonly compared: Loaded<http.CompareAnswer>;
  readonly service: string;
  readonly state: Pick<CompareState, 'width' | 'values' | 'only' | 'of' | 'zoom' | 'search' | 'filter' | 'sort'>;
  readonly change: (part: Partial<CompareState>, how?: 'push' | 'replace') => void;
  readonly stale: boolean;
}

/** Headline, both sides' totals, one picture that holds both, and the table of changes. */
export function ComparePanel({ diff, sides, averages, compared, service, state, change, stale }: Props) {
  const { unit } = diff;
  const isTime = unit === 'nanoseconds';
  const { tree } = diff;
  // Children stand in the same order whichever side gives the widths.
  const order = useMemo(() => diffWidths(tree, 'both'), [tree]);
  const widths = useMemo(() => diffWidths(tree, state.width), [tree, state.width]);
  const ids = useMemo(() => new PathIds(tree), [tree]);
  const focus = useMemo(() => visibleFocus(parseFocus(state.zoom, ids), widths), [state.zoom, ids, widths]);
  const whole = useMemo(() => ({ before: tree.before.total[0] ?? 0n, after: tree.after.total[0] ?? 0n }), [tree]);
  const weight = (side: 'before' | 'after'): SideWeight => ({
    total: whole[side],
    rate: isTime ? (averages[side]?.rate ?? null) : null,
  });
  const before = useMemo(() => weight('before'), [whole, averages.before?.rate, isTime]);
  const after = useMemo(() => weight('after'), [whole, averages.after?.rate, isTime]);
  const rows = useMemo(
    () => compareFunctions(diff.functions, state.of, before, after),
    [diff, state.of, before, after],
  );
  const bySelf = useMemo(() => compareFunctions(diff.functions, 'self', before, after), [diff, before, after]);
  const verdicts = useMemo(() => (compared.value === null ? null : verdictsOf(compared.value)), [compared.value]);
  const isJudged = compared.value !== null || compared.loading;
  const significant = useMemo(() => significantFrames(tree, verdicts), [tree, verdicts]);
  const gone = useMemo(
    () => goneNodes(tree).filter((node) => otherName(tree.frames.name[tree.frame[node] ?? 0] ?? '', verdicts) === null),
    [tree, verdicts],
  );
  const pattern = useMemo(() => (state.search === '' ? null : parsePattern(state.search)), [state.search]);
  const members = useMemo(() => membersOf(tree, widths, focus), [tree, widths, focus]);
  const matches = useMemo(() => {
    if (pattern?.ok !== true) return null;
    const beforeUnion = findMatches(tree, tree.before, members, pattern.test);
    return { before: beforeUnion.union, ...findMatches(tree, tree.after, members, pattern.test) };
  }, [pattern, tree, members]);

  const zoom = useCallback((next: Focus) => change({ zoom: formatFocus(next, ids) }), [change, ids]);
  useEscape(() => change({ zoom: '' }), state.zoom !== '');

  // How much a value of a side weighs: its share, or its cores.
  const scaleBefore = state.values === 'amounts' ? (before.rate ?? Number(whole.before)) : 1;
  const scaleAfter = state.values === 'amounts' ? (after.rate ?? Number(whole.after)) : 1;
  const labelOf = useCallback((row: Row) => rowLabel(tree, row, widths[0] ?? 0, ''), [tree, widths]);
  const colourOf = useCallback(
    (row: Row, dark: boolean) => {
      const nodes = membersOf(tree, widths, row);
      const left = sumOf(tree.before, nodes);
      const right = sumOf(tree.after, nodes);
      if (row.node === 0 && row.rest === 0) return changeColour(0, dark);
      const isTold =
        significant === null || row.rest > 0
          ? left.samples + right.samples >= minSamplesToColour
          : significant[tree.frame[row.node] ?? 0] === 1;
      if (!isTold) return mutedColour(dark);
      return changeColour(
        tiltOf(shareOf(left.total, whole.before) * scaleBefore, shareOf(right.total, whole.after) * scaleAfter),
        dark,
      );
    },
    [tree, widths, whole, scaleBefore, scaleAfter, significant],
  );
  const describe = (row: Row, layout: Layout): ComponentChildren => {
    const nodes = membersOf(tree, widths, row);
    const left = sumOf(tree.before, nodes);
    const right = sumOf(tree.after, nodes);
    const below = hiddenBelow(layout, row);
    const shareBefore = shareOf(left.total, whole.before);
    const shareAfter = shareOf(right.total, whole.after);
    const rate = (share: number, side: SideWeight) => (side.rate === null ? null : coresNumber(share * side.rate));
    const hasRates = before.rate !== null && after.rate !== null;
    const verdict = row.rest > 0 ? undefined : verdicts?.get(tree.frames.name[tree.frame[row.node] ?? 0] ?? '');
    const deltaRate = hasRates ? shareAfter * after.rate - shareBefore * before.rate : 0;
    return (
      <>
        <FrameHead tree={tree} widths={widths} row={row} groupLabel="" />
        <ValueTable
          columns={['Share', hasRates ? 'Cores' : null, isTime ? 'Time' : 'Value', 'Samples']}
          lines={[
            {
              name: 'Before',
              cells: [percent(shareBefore), rate(shareBefore, before), amount(left.total, unit), exact(left.samples)],
            },
            {
              name: 'After',
              cells: [percent(shareAfter), rate(shareAfter, after), amount(right.total, unit), exact(right.samples)],
            },
            { name: 'Change', cells: [points(shareAfter - shareBefore), coresChange(deltaRate), '', ''] },
          ]}
        />
        {left.total === 0n && right.total !== 0n && <p class="tip-hint">new: only after</p>}
        {right.total === 0n && left.total !== 0n && <p class="tip-hint">gone: only before</p>}
        {verdict !== undefined && (
          <p class="tip-source">
            <VerdictTag one={verdict} /> {verdict.verdictText}
            {verdict.change !== null && `; ${relative(verdict.change)}`}
            {verdict.interval !== null && ` (95 %: ${relativeInterval(verdict.interval)})`}
            {verdict.q !== null && `, q ${verdict.q.toPrecision(2)}`}
          </p>
        )}
        {significant === null && left.samples + right.samples < minSamplesToColour && (
          <p class="tip-hint">too few samples to colour</p>
        )}
        {below !== null && <p class="tip-hint">{below}</p>}
      </>
    );
  };
  const headline = headlineOf({
    service,
    before: { ...before, name: sides.before.name, samples: tree.before.samples[0] ?? 0 },
    after: { ...after, name: sides.after.name, samples: tree.after.samples[0] ?? 0 },
    functions: bySelf,
  });
  const overMs = Math.min(averages.before?.overMs ?? Infinity, averages.after?.overMs ?? Infinity);
  const isBlank = (widths[0] ?? 0) === 0;
  const searchResult = (): string => {
    if (pattern === null) return '';
    if (!pattern.ok) return `Not a regular expression: ${pattern.message}`;
    if (matches === null) return '';
    const share = (value: bigint, side: 'before' | 'after') => percent(shareOf(value, whole[side]));
    return `${plural(matches.functions, 'function')}: ${share(matches.before.total, 'before')} before, ${share(matches.union.total, 'after')} after`;
  };
  return (
    <section class={`panel${stale ? ' is-stale' : ''}`} aria-busy={stale}>
      <Headline text={headline} compared={compared} overMs={isTime ? overMs : Infinity} />
      <div class="side-summaries">
        <SideSummary
          title="Before"
          side={sides.before}
          sum={diff.before}
          average={averages.before}
          unit={unit}
          href={sideHref(sides.before, state.zoom)}
        />
        <SideSummary
          title="After"
          side={sides.after}
          sum={diff.after}
          average={averages.after}
          unit={unit}
          href={sideHref(sides.after, state.zoom)}
        />
      </div>
      <div class="panel-tools">
        <SearchBox
          value={state.search}
          label="Search functions"
          onInput={(search) => change({ search }, 'replace')}
          result={searchResult()}
          isWrong={pattern?.ok === false}
        />
        <div class="field is-inline">
          <span aria-hidden="true">Width</span>
          <Segmented
            label="Width of frames"
            value={state.width}
            choices={[
              ['before', 'Before'],
              ['both', 'Both'],
              ['after', 'After'],
            ]}
            onChange={(width) => change({ width })}
          />
        </div>
        <div class="field is-inline">
          <span aria-hidden="true">Compare</span>
          <Segmented
            label="What is compared"
            value={state.values}
            choices={[
              ['shares', 'Shares'],
              ['amounts', isTime ? 'Cores' : 'Amounts'],
            ]}
            onChange={(values) => change({ values })}
          />
        </div>
      </div>
      <div class="panel-body show-stacked">
        <div class="flame-box">
          <Breadcrumb tree={tree} focus={focus} groupLabel="" onFocus={zoom} />
          {isBlank ? (
            <p class="empty">This side has no samples. Choose the other one as width.</p>
          ) : (
            <FlameGraph
              name="Differences as a flame graph"
              tree={tree}
              widths={widths}
              order={order}
              focus={focus}
              onFocus={zoom}
              labelOf={labelOf}
              colourOf={colourOf}
              describe={describe}
              matches={matches?.frames ?? null}
            />
          )}
          {state.width === 'after' && gone.length > 0 && (
            <GoneList
              tree={tree}
              gone={gone}
              onPlace={(node) => change({ width: 'before', zoom: ids.idOf(node) })}
              onAll={() => change({ width: 'both' })}
            />
          )}
          <ChangeLegend values={state.values} isJudged={verdicts !== null} />
        </div>
        <section class="table-box">
          <div class="table-head">
            <input
              type="search"
              value={state.filter}
              placeholder="Filter the table"
              aria-label="Filter the table by function or file"
              spellcheck={false}
              onInput={(event) => change({ filter: event.currentTarget.value }, 'replace')}
            />
            <Segmented
              label="Which functions"
              value={state.only}
              choices={[
                ['all', 'All'],
                ...(isJudged ? [['significant', 'Significant'] as const] : []),
                ['new', 'New'],
                ['gone', 'Gone'],
              ]}
              onChange={(only) => change({ only }, 'replace')}
            />
            <Segmented
              label="Which value"
              value={state.of}
              choices={[
                ['self', 'Self'],
                ['total', 'Total'],
              ]}
              onChange={(of) => change({ of }, 'replace')}
            />
          </div>
          <ChangeTable
            rows={rows}
            unit={unit}
            values={state.values}
            names={{ before: sides.before.name, after: sides.after.name }}
            rates={{ before: before.rate, after: after.rate }}
            sort={state.sort}
            onSort={(sort) => change({ sort: sort as CompareState['sort'] }, 'replace')}
            only={state.only}
            verdicts={verdicts}
            isJudged={isJudged}
            filter={state.filter}
            matches={pattern?.ok === true ? pattern.test : null}
            onRow={(row) => change({ search: exactly(row.name) }, 'replace')}
          />
        </section>
      </div>
    </section>
  );
}

/** A place that has no width in this picture (gone, seen as wide as after) cannot be zoomed to. */
function visibleFocus(found: Focus | null, widths: Float64Array): Focus {
  return found !== null && (widths[found.node] ?? 0) > 0 ? found : wholeTree;
}

function sideHref(side: Side, zoom: string): string | null {
  // A file is no side of a query.
  if (side.query === '') return null;
  return flamegraphHref({ query: side.query, from: String(side.span.fromMs), until: String(side.span.untilMs), zoom });
}
