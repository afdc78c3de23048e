import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Answer } from '../data/api.ts';
import type { KnownBuilds } from '../data/build-ids.ts';
import type { MergedTree } from '../data/queries.ts';
import type { SourceOfLines } from '../data/source-of-lines.ts';
import type { Tree } from '../data/tree-columns.ts';
import { useExactTree } from '../data/use-exact-tree.ts';
import { useQuery } from '../data/use-query.ts';
import { useShapedTree, useTreeKey } from '../data/use-shaped-tree.ts';
import type { FlamegraphState } from '../state/page-state.ts';
import type { Average } from '../tree/average.ts';
import { formatFocus, parseFocus } from '../tree/focus-code.ts';
import { type FunctionRow, functionRowsInSteps } from '../tree/function-rows.ts';
import { type Focus, layOut, type Layout, membersOf, type Row, wholeTree } from '../tree/layout.ts';
import { ancestry, widthsOf } from '../tree/order.ts';
import { PathIds } from '../tree/path-id.ts';
import { pictureOf } from '../tree/picture.ts';
import { exactly, matchesBelow, matchingFrames, parsePattern } from '../tree/search.ts';
import { isHeldBack, splice } from '../tree/splice.ts';
import { shareOf, type Sum, sumOf } from '../tree/sums.ts';
import { Breadcrumb } from '../views/breadcrumb.tsx';
import { binaryColour, type Colouring, heatColour, kindColour } from '../views/colours.ts';
import { DownloadMenu } from '../views/download-menu.tsx';
import { FilterChips } from '../views/filter-chips.tsx';
import { FlameGraph } from '../views/flame-graph.tsx';
import { amount, cores, exact, exactAmount, percent, plural, span as spanText } from '../views/format.ts';
import { FrameMenu } from '../views/frame-menu.tsx';
import { FrameNumbers } from '../views/frame-numbers.tsx';
import { frameName, rowLabel } from '../views/frame-text.tsx';
import { FunctionTable, sortRows } from '../views/function-table.tsx';
import { KindLegend } from '../views/kind-legend.tsx';
import { ProblemNotice } from '../views/notices.tsx';
import { Sandwich } from '../views/sandwich.tsx';
import { SearchBox } from '../views/search-box.tsx';
import { Segmented } from '../views/show-switch.tsx';
import { functionOfFrame } from '../views/short-name.ts';
import { SourcePanel } from '../views/source-panel.tsx';
import { isDark } from '../views/theme.ts';
import { TreeTable } from '../views/tree-table.tsx';
import { useActions } from '../views/use-actions.ts';
import { useEscape } from '../views/use-escape.ts';
import { useLater } from '../views/use-later.ts';
import { ViewOptions } from '../views/view-options.tsx';
import { actionsFor } from './frame-actions.ts';

/** What of the URL the panel shows. */
export type PanelState = Omit<FlamegraphState, 'query' | 'from' | 'until' | 'nodes'>;
export type ChangePanel = (part: Partial<PanelState>, how?: 'push' | 'replace') => void;

interface Props {
  readonly merged: MergedTree;
  readonly average: Average | null;
  readonly state: PanelState;
  readonly change: ChangePanel;
  /** A newer answer is on its way. */
  readonly stale: boolean;
  /** Begins the names of files, and is their title. */
  readonly name: string;
  /** Null where the samples are only in this page. */
  readonly pprofHref: string | null;
  /** Asks for the exact tree below a path id; null: all is here. */
  readonly loadPart: ((id: string, signal: AbortSignal) => Promise<Answer<MergedTree>>) | null;
  /** Asks for the exact value of the samples that a focus keeps; null: what is here says it. */
  readonly countFocus: ((source: string, signal: AbortSignal) => Promise<Answer<bigint>>) | null;
  /** What each line of a function costs. */
  readonly lines: SourceOfLines;
  readonly builds: KnownBuilds;
  /** A group of the first level was chosen. */
  readonly onGroup?: (value: string) => void;
}

/** More rows than these are counted in a task of their own. */
const manyRows = 50_000;
interface TableContent {
  readonly rows: readonly FunctionRow[];
  /** What shares are of. */
  readonly sum: Sum;
}
const noContent: TableContent = { rows: [], sum: { total: 0n, self: 0n, samples: 0 } };
const noFunctions: readonly FunctionRow[] = [];
const neverLoaded = async (): Promise<Answer<MergedTree>> => {
  throw new Error('nothing was held back');
};

/** The picture and the table of one merged tree, on the same zoom and the same search. */
export function FlamegraphPanel(props: Props) {
  const { merged, average, state, change, stale, name, pprofHref, loadPart, countFocus, lines, builds, onGroup } =
    props;
  const { unit } = merged;
  const { by, search } = state;
  const exactTree = useExactTree(merged, loadPart ?? neverLoaded, splice);
  const view = useMemo(
    () => ({
      by: state.frames === 'line' ? ('function' as const) : state.frames,
      collapseRecursion: state.recursion === 'collapsed',
      groupLibraries: state.libraries === 'grouped',
      isInverted: state.order === 'callers',
    }),
    [state.frames, state.recursion, state.libraries, state.order],
  );
  const shaped = useShapedTree(exactTree.tree, view);
  const tree = shaped.value ?? exactTree.tree;
  // Nothing, rather than the picture of another view, until the first is there.
  const wasShown = useRef(false);
  const isAwaited = shaped.value === null && shaped.loading && !wasShown.current;
  if (!isAwaited) wasShown.current = true;
  const isPlain = tree === exactTree.tree;
  const treeKey = useTreeKey(tree);
  const samplesKey = useTreeKey(merged.tree);
  const widths = useMemo(() => widthsOf(tree.weights), [tree]);
  const ids = useMemo(() => new PathIds(tree), [tree]);
  const found = useMemo(() => parseFocus(state.zoom, ids), [state.zoom, ids]);
  const focus = found ?? wholeTree;
  const members = useMemo(() => membersOf(tree, widths, focus), [tree, widths, focus]);
  const shown = useMemo(() => sumOf(tree.weights, members), [tree, members]);
  const whole = tree.weights.total[0] ?? 0n;
  const pattern = useMemo(() => (search === '' ? null : parsePattern(search)), [search]);
  const matching = useMemo(
    () => (pattern?.ok === true ? matchingFrames(tree.frames, pattern.test) : null),
    [pattern, tree],
  );
  const matches = useMemo(
    () => (matching === null ? null : matchesBelow(tree, tree.weights, members, matching)),
    [matching, tree, members],
  );
  const isCounted =
    matches?.isByName === false &&
    state.frames !== 'line' &&
    state.zoom === '' &&
    countFocus !== null &&
    pattern?.ok === true;
  const counted = useQuery(isCounted ? `${treeKey} ${pattern.source}` : null, async (signal) =>
    isCounted ? countFocus(pattern.source, signal) : { ok: true as const, value: 0n },
  );
  const union = isCounted ? counted.value : (matches?.union.total ?? null);
  // Functions are counted in the tree as it was recorded: inverted, a sample would end in its outermost caller.
  const upright = view.isInverted ? exactTree.tree : tree;
  const roots = view.isInverted ? wholeRoots : members;
  const isTableShown = state.show === 'both' || state.show === 'table';
  const rows = useLater<TableContent>(
    function* () {
      if (!isTableShown) return noContent;
      const sum = view.isInverted ? sumOf(tree.weights, wholeRoots) : shown;
      return { rows: yield* functionRowsInSteps(upright, upright.weights, roots), sum };
    },
    noContent,
    [upright, roots, isTableShown],
    upright.length < manyRows,
  );
  const hasFunction = state.show === 'sandwich' || state.show === 'source';
  const functions = useLater<readonly FunctionRow[]>(
    function* () {
      if (!hasFunction) return [];
      const all = yield* functionRowsInSteps(exactTree.tree, exactTree.tree.weights, wholeRoots);
      return sortRows(all, 'self');
    },
    noFunctions,
    [exactTree.tree, hasFunction],
    exactTree.tree.length < manyRows,
  );
  const functionNames = useMemo(
    () => [...new Set(functions.value.map(({ name: frame, file }) => functionOfFrame(frame, file)))],
    [functions.value],
  );
  /** A frame, which may be a line of a function. */
  const fn = state.fn === '' ? (functions.value[0]?.name ?? '') : state.fn;
  const chosen = functions.value.find((one) => one.name === fn);
  const onName = (one: string) => change({ fn: one });
  const isPart = useMemo(
    () => isPlain && loadPart !== null && isHeldBack(tree, focus.node),
    [tree, focus.node, isPlain, loadPart],
  );

  const zoom = useCallback(
    (next: Focus) => {
      // A row that the server held back opens as what it stands for: the exact tree below its parent.
      const held = next.rest === 0 && (tree.rest[next.node] ?? 0) > 0;
      const node = held ? (tree.parent[next.node] ?? 0) : next.node;
      if (held) exactTree.open(node, ids.idOf(node));
      change({ zoom: formatFocus(held ? { node, rest: 0 } : next, ids) });
    },
    [change, ids, tree],
  );
  // Below a zoom everything is exact, also after a link was followed.
  useEffect(() => {
    if (isPart && focus.node !== 0) exactTree.open(focus.node, ids.idOf(focus.node));
  }, [isPart, focus.node, ids]);
  useEscape(() => change({ zoom: '' }), state.zoom !== '');
  // Stepping goes through the matches of everything, not of the zoom that it makes itself.
  const everywhere = useMemo(
    () => (matching !== null && focus !== wholeTree ? matchesBelow(tree, tree.weights, wholeRoots, matching) : matches),
    // Zooming changes the matches of the zoom, not those of everything.
    [matching, tree, focus === wholeTree],
  );
  const steps = useMemo(
    () => everywhere?.nodes.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0)) ?? [],
    [everywhere, widths],
  );
  const stepThrough = (direction: 1 | -1) => {
    const nodes = steps;
    if (nodes.length === 0) return;
    const at = nodes.indexOf(focus.node);
    const from = at === -1 && direction === -1 ? 0 : at;
    const next = nodes[(from + direction + nodes.length) % nodes.length];
    if (next !== undefined) zoom({ node: next, rest: 0 });
  };

  const labelOf = useCallback((row: Row) => rowLabel(tree, row, widths[0] ?? 0, by), [tree, widths, by]);
  const colourOf = useMemo(() => colourer(tree, state.colours), [tree, state.colours]);
  const describe = (row: Row, layout: Layout): ComponentChildren => (
    <FrameNumbers
      tree={tree}
      widths={widths}
      row={row}
      layout={layout}
      unit={unit}
      groupLabel={by}
      average={average}
      shown={shown.total}
      isZoomed={state.zoom !== ''}
      hasSelf={!view.isInverted}
      builds={builds}
    />
  );
  const [menu, setMenu] = useState<{ row: Row; x: number; y: number } | null>(null);
  const closeMenu = useCallback(() => setMenu(null), []);
  const onMenu = useCallback((row: Row, x: number, y: number) => setMenu({ row, x, y }), []);
  const groupFrame = by === '' || view.isInverted ? null : groupAbove(tree, focus);
  const picture = () => {
    const width = 1600;
    const dark = isDark.value;
    return pictureOf(layOut(tree, widths, focus, width), width, state.grow === 'up', {
      title: `${name}: ${amount(shown.total, unit)}, ${exact(shown.samples)} samples`,
      background: dark ? '#171412' : '#ffffff',
      ink: dark ? '#f4efe9' : '#1d1916',
      labelOf,
      colourOf: (row) => colourOf(row, dark),
    });
  };
  // What is zoomed to is what one wants to know more of.
  const functionAt = (node: number): string => {
    const frame = tree.frame[node] ?? 0;
    return functionOfFrame(tree.frames.name[frame] ?? '', tree.frames.file[frame] ?? '');
  };
  const hasFunctions = state.frames === 'function' || state.frames === 'line';
  const isFunctionHere = hasFunctions && focus.node !== 0 && tree.frames.kind[tree.frame[focus.node] ?? 0] !== 'group';
  const frameHere = isFunctionHere ? { fn: frameName(tree, focus.node) } : {};
  const functionHere = isFunctionHere ? { fn: functionAt(focus.node) } : {};
  useActions('Flame graph', [
    { name: 'Next match', keys: 'n', run: () => stepThrough(1) },
    { name: 'Previous match', keys: 'p', run: () => stepThrough(-1) },
    { name: 'Reset zoom', keys: 'r', run: () => change({ zoom: '' }) },
    { name: 'Show graph and table', run: () => change({ show: 'both' }) },
    { name: 'Show the graph alone', keys: 'g', run: () => change({ show: 'graph' }) },
    { name: 'Show the table alone', keys: 't', run: () => change({ show: 'table' }) },
    { name: 'Show the tree as a table', run: () => change({ show: 'tree' }) },
    { name: 'Show callers and callees', run: () => change({ show: 'sandwich', ...frameHere }) },
    { name: 'Show the cost of source lines', keys: 's', run: () => change({ show: 'source', ...functionHere }) },
    {
      name: 'Invert: who calls what is hot',
      keys: 'i',
      run: () => change({ order: state.order === 'callers' ? 'callees' : 'callers', zoom: '' }),
    },
    {
      name: 'Collapse recursion',
      run: () => change({ recursion: state.recursion === 'as-is' ? 'collapsed' : 'as-is', zoom: '' }),
    },
    {
      name: 'Group libraries',
      run: () => change({ libraries: state.libraries === 'as-is' ? 'grouped' : 'as-is', zoom: '' }),
    },
    { name: 'Turn the flame graph upside down', run: () => change({ grow: state.grow === 'up' ? 'down' : 'up' }) },
    { name: 'Remove all filters', run: () => change({ focus: '', ignore: '', hide: '', show_from: '' }) },
  ]);
  // The same element as before is not rendered again: the table does not hold up the picture of a zoom.
  const latestChange = useRef(change);
  latestChange.current = change;
  const table = useMemo(
    () => (
      <FunctionTable
        rows={rows.value.rows}
        whole={rows.value.sum.total}
        wholeSamples={rows.value.sum.samples}
        unit={unit}
        noun={state.frames}
        sort={state.sort}
        onSort={(sort) => latestChange.current({ sort: sort as FlamegraphState['sort'] }, 'replace')}
        filter={state.filter}
        onFilter={(filter) => latestChange.current({ filter }, 'replace')}
        matches={pattern?.ok === true ? pattern.test : null}
        onRow={(row) => latestChange.current({ search: exactly(row.name) }, 'replace')}
      />
    ),
    [rows.value, unit, state.frames, state.sort, state.filter, pattern],
  );
  const searchResult = (): string => {
    if (pattern === null) return '';
    if (!pattern.ok) return `Not a regular expression: ${pattern.message}`;
    if (matches === null) return '';
    const text = plural(matches.functions, 'function');
    if (union === null) return counted.problem === null ? `${text} …` : `${text}: ${counted.problem.detail}`;
    return `${text}, ${percent(shareOf(union, shown.total))} of the samples' ${unit === 'nanoseconds' ? 'time' : 'value'} (${amount(union, unit)})`;
  };
  const isBusy = stale || shaped.loading || counted.loading || rows.isBehind || functions.isBehind || exactTree.loading;
  const filters = { focus: state.focus, ignore: state.ignore, hide: state.hide, show_from: state.show_from };
  return (
    <section class={`panel${stale || shaped.loading ? ' is-stale' : ''}`} aria-busy={isBusy} aria-label="Samples">
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
          exactResult={union === null || pattern?.ok !== true ? '' : exactAmount(union, unit)}
          isWrong={pattern?.ok === false}
          onStep={steps.length === 0 ? null : stepThrough}
        />
        <Segmented
          label="Show"
          value={state.show}
          choices={[
            ['both', 'Both'],
            ['graph', 'Graph'],
            ['table', 'Table'],
            ['tree', 'Tree'],
            ['sandwich', 'Sandwich'],
            ['source', 'Source'],
          ]}
          onChange={(show) => change({ show })}
        />
        <ViewOptions options={state} onChange={change} />
        <DownloadMenu
          tree={tree}
          members={members}
          unit={unit}
          name={name}
          pprofHref={pprofHref}
          isPart={state.zoom !== '' || !isPlain || by !== ''}
          picture={picture}
        />
      </div>
      <FilterChips filters={filters} onChange={(part) => change({ ...part, zoom: '' })} />
      {shaped.problem !== null && <ProblemNotice problem={shaped.problem} />}
      {exactTree.problem !== null && <ProblemNotice problem={exactTree.problem} />}
      {isPart && (
        <p class="hint held-back" role="status">
          {exactTree.loading ? (
            'Loading what the server had held back …'
          ) : (
            <>
              The server sent the {exact(tree.length)} heaviest nodes; the others are gathered, exactly, under their
              callers. Table and search count what was sent.{' '}
              <button type="button" class="button" onClick={() => exactTree.open(0, '')}>
                Load all of them
              </button>
            </>
          )}
        </p>
      )}
      {isAwaited && <div class="skeleton flame-skeleton" aria-hidden="true" />}
      <div class={`panel-body show-${state.show}`}>
        {state.show === 'sandwich' && (
          <Sandwich
            tree={exactTree.tree}
            rows={functions.value}
            name={fn}
            unit={unit}
            onName={onName}
            builds={builds}
          />
        )}
        {state.show === 'source' && (
          <SourcePanel
            name={chosen === undefined ? fn : functionOfFrame(chosen.name, chosen.file)}
            names={functionNames}
            onName={onName}
            source={lines}
            sampleKey={String(samplesKey)}
            whole={exactTree.tree.weights.total[0] ?? 0n}
            wholeSamples={exactTree.tree.weights.samples[0] ?? 0}
            unit={unit}
          />
        )}
        {state.show === 'tree' && !isAwaited && (
          <TreeTable tree={tree} widths={widths} focus={focus} unit={unit} groupLabel={by} onFocus={zoom} />
        )}
        {(state.show === 'both' || state.show === 'graph') && !isAwaited && (
          <div class="flame-box">
            <Breadcrumb tree={tree} focus={focus} groupLabel={by} onFocus={zoom} />
            {found === null && <p class="hint">The zoom of this link is not in this range: showing everything.</p>}
            {groupFrame !== null && onGroup !== undefined && (
              <p class="hint">
                <button type="button" class="button" onClick={() => onGroup(groupFrame)}>
                  Show only {by} = {groupFrame}
                </button>
              </p>
            )}
            <FlameGraph
              key={state.grow}
              name="Flame graph"
              tree={tree}
              widths={widths}
              focus={focus}
              onFocus={zoom}
              labelOf={labelOf}
              colourOf={colourOf}
              describe={describe}
              matches={matches?.frames ?? null}
              growsUp={state.grow === 'up'}
              onMenu={onMenu}
            />
            <KindLegend tree={tree} colouring={state.colours} />
          </div>
        )}
        {isTableShown && table}
      </div>
      {menu !== null && (
        <FrameMenu
          x={menu.x}
          y={menu.y}
          title={rowLabel(tree, menu.row, widths[0] ?? 0, by)}
          actions={actionsFor({
            row: menu.row,
            name: frameName(tree, menu.row.node, by),
            kind: tree.frames.kind[tree.frame[menu.row.node] ?? 0] ?? 'native',
            path: ancestry(tree, menu.row.node)
              .slice(1)
              .map((node) => frameName(tree, node, by)),
            filters,
            functionName: hasFunctions ? functionAt(menu.row.node) : null,
            change,
            zoom,
          })}
          onClose={closeMenu}
        />
      )}
    </section>
  );
}

const wholeRoots: readonly number[] = [0];

function colourer(tree: Tree, colouring: Colouring): (row: Row, dark: boolean) => string {
  const { frames, frame, weights } = tree;
  return (row, dark) => {
    const at = frame[row.node] ?? 0;
    const kind = frames.kind[at] ?? 'native';
    if (row.rest > 0) return kindColour('group', '', dark);
    if (colouring === 'kind' || kind === 'root' || kind === 'group') {
      return kindColour(kind, frames.binary[at] || frames.name[at] || '', dark);
    }
    if (colouring === 'binary') return binaryColour(frames.binary[at] ?? '', dark);
    return heatColour(shareOf(weights.self[row.node] ?? 0n, weights.total[row.node] ?? 0n), dark);
  };
}

/** Value of the group that the zoom lies in. */
function groupAbove(tree: Tree, focus: Focus): string | null {
  let node = focus.node;
  while (node !== 0) {
    const frame = tree.frame[node] ?? 0;
    if (tree.frames.kind[frame] === 'group' && (tree.rest[node] ?? 0) === 0) return tree.frames.name[frame] ?? null;
    node = tree.parent[node] ?? 0;
  }
  return null;
}
