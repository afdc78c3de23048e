import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Answer } from '../data/api.ts';
import type { MergedTree } from '../data/queries.ts';
import type { Tree } from '../data/tree-columns.ts';
import { useExactTree } from '../data/use-exact-tree.ts';
import { useQuery } from '../data/use-query.ts';
import { useShapedTree, useTreeKey } from '../data/use-shaped-tree.ts';
import type { FlamegraphState } from '../state/page-state.ts';
import type { Average } from '../tree/average.ts';
import { formatFocus, parseFocus } from '../tree/focus-code.ts';
import { type FunctionRow, functionRows } from '../tree/function-rows.ts';
import { type Focus, layOut, type Layout, membersOf, type Row, wholeTree } from '../tree/layout.ts';
import { ancestry, widthsOf } from '../tree/order.ts';
import { PathIds } from '../tree/path-id.ts';
import { pictureOf } from '../tree/picture.ts';
import { exactly, findMatches, parsePattern } from '../tree/search.ts';
import { isHeldBack, splice } from '../tree/splice.ts';
import { shareOf, sumOf } from '../tree/sums.ts';
import { Breadcrumb } from '../views/breadcrumb.tsx';
import { binaryColour, type Colouring, heatColour, kindColour } from '../views/colours.ts';
import { DownloadMenu } from '../views/download-menu.tsx';
import { FilterChips } from '../views/filter-chips.tsx';
import { FlameGraph } from '../views/flame-graph.tsx';
import { amount, cores, exact, exactAmount, percent, plural, span as spanText } from '../views/format.ts';
import { FrameMenu } from '../views/frame-menu.tsx';
import { FrameNumbers } from '../views/frame-numbers.tsx';
import { frameName, rowLabel } from '../views/frame-text.tsx';
import { FunctionTable } from '../views/function-table.tsx';
import { KindLegend } from '../views/kind-legend.tsx';
import { ProblemNotice } from '../views/notices.tsx';
import { Sandwich } from '../views/sandwich.tsx';
import { SearchBox } from '../views/search-box.tsx';
import { Segmented } from '../views/show-switch.tsx';
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
  /** A group of the first level was chosen. */
  readonly onGroup?: (value: string) => void;
}

/** More rows than these are counted in a task of their own. */
const manyRows = 50_000;
const noRows: readonly FunctionRow[] = [];
const neverLoaded = async (): Promise<Answer<MergedTree>> => {
  throw new Error('nothing was held back');
};

/** The picture and the table of one merged tree, on the same zoom and the same search. */
export function FlamegraphPanel(props: Props) {
  const { merged, average, state, change, stale, name, pprofHref, loadPart, countFocus, onGroup } = props;
  const { unit } = merged;
  const { by, search } = state;
  const exactTree = useExactTree(merged, loadPart ?? neverLoaded, splice);
  const view = useMemo(
    () => ({
      by: state.frames,
      collapseRecursion: state.recursion === 'collapsed',
      groupLibraries: state.libraries === 'grouped',
      isInverted: state.order === 'callers',
    }),
    [state.frames, state.recursion, state.libraries, state.order],
  );
  const shaped = useShapedTree(exactTree.tree, view);
  const tree = shaped.value ?? exactTree.tree;
  const isPlain = tree === exactTree.tree;
  const treeKey = useTreeKey(tree);
  const widths = useMemo(() => widthsOf(tree.weights), [tree]);
  const ids = useMemo(() => new PathIds(tree), [tree]);
  const found = useMemo(() => parseFocus(state.zoom, ids), [state.zoom, ids]);
  const focus = found ?? wholeTree;
  const members = useMemo(() => membersOf(tree, widths, focus), [tree, widths, focus]);
  const shown = useMemo(() => sumOf(tree.weights, members), [tree, members]);
  const whole = tree.weights.total[0] ?? 0n;
  const pattern = useMemo(() => (search === '' ? null : parsePattern(search)), [search]);
  const matches = useMemo(
    () => (pattern?.ok === true ? findMatches(tree, tree.weights, members, pattern.test) : null),
    [pattern, tree, members],
  );
  const isCounted = matches?.isByName === false && state.zoom === '' && countFocus !== null && pattern?.ok === true;
  const counted = useQuery(isCounted ? `${treeKey} ${pattern.source}` : null, async (signal) =>
    isCounted ? countFocus(pattern.source, signal) : { ok: true as const, value: 0n },
  );
  const union = isCounted ? counted.value : (matches?.union.total ?? null);
  // Functions are counted in the tree as it was recorded: inverted, a sample would end in its outermost caller.
  const upright = view.isInverted ? exactTree.tree : tree;
  const roots = view.isInverted ? wholeRoots : members;
  const isTableShown = state.show === 'both' || state.show === 'table';
  const rows = useLater<readonly FunctionRow[]>(
    () => (isTableShown ? functionRows(upright, upright.weights, roots) : noRows),
    noRows,
    [upright, roots, isTableShown],
    upright.length < manyRows,
  );
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
    () =>
      pattern?.ok === true && focus !== wholeTree ? findMatches(tree, tree.weights, wholeRoots, pattern.test) : matches,
    [pattern, tree, matches, focus],
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
  useActions('Flame graph', [
    { name: 'Next match', keys: 'n', run: () => stepThrough(1) },
    { name: 'Previous match', keys: 'p', run: () => stepThrough(-1) },
    { name: 'Reset zoom', keys: 'r', run: () => change({ zoom: '' }) },
    { name: 'Show graph and table', run: () => change({ show: 'both' }) },
    { name: 'Show the graph alone', keys: 'g', run: () => change({ show: 'graph' }) },
    { name: 'Show the table alone', keys: 't', run: () => change({ show: 'table' }) },
    { name: 'Show the tree as a table', run: () => change({ show: 'tree' }) },
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
  const searchResult = (): string => {
    if (pattern === null) return '';
    if (!pattern.ok) return `Not a regular expression: ${pattern.message}`;
    if (matches === null) return '';
    const text = plural(matches.functions, 'function');
    if (union === null) return counted.problem === null ? `${text} …` : `${text}: ${counted.problem.detail}`;
    return `${text}, ${percent(shareOf(union, shown.total))} of the samples' ${unit === 'nanoseconds' ? 'time' : 'value'} (${amount(union, unit)})`;
  };
  const isBusy = stale || shaped.loading || counted.loading || rows.isBehind || exactTree.loading;
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
      <div class={`panel-body show-${state.show}`}>
        {state.show === 'sandwich' && (
          <Sandwich tree={exactTree.tree} name={state.fn} unit={unit} onName={(fn) => change({ fn })} />
        )}
        {state.show === 'tree' && (
          <TreeTable tree={tree} widths={widths} focus={focus} unit={unit} groupLabel={by} onFocus={zoom} />
        )}
        {(state.show === 'both' || state.show === 'graph') && (
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
        {isTableShown && (
          <FunctionTable
            rows={rows.value}
            whole={view.isInverted ? whole : shown.total}
            wholeSamples={view.isInverted ? (tree.weights.samples[0] ?? 0) : shown.samples}
            unit={unit}
            noun={state.frames}
            sort={state.sort}
            onSort={(sort) => change({ sort: sort as FlamegraphState['sort'] }, 'replace')}
            filter={state.filter}
            onFilter={(filter) => change({ filter }, 'replace')}
            matches={pattern?.ok === true ? pattern.test : null}
            onRow={(row) => change({ search: exactly(row.name) }, 'replace')}
          />
        )}
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
            canFilter: state.frames === 'function',
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
