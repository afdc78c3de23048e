import { useCallback, useMemo, useState } from 'preact/hooks';
import { failure } from '../data/api.ts';
import { askWorker } from '../data/ask-worker.ts';
import type { Tree } from '../data/tree-columns.ts';
import { useQuery } from '../data/use-query.ts';
import { useTreeKey } from '../data/use-shaped-tree.ts';
import type { Neighbours } from '../data/worker-messages.ts';
import { functionRows } from '../tree/function-rows.ts';
import { type Focus, type Layout, type Row, wholeTree } from '../tree/layout.ts';
import { widthsOf } from '../tree/order.ts';
import { shareOf } from '../tree/sums.ts';
import { kindColour } from './colours.ts';
import { FlameGraph } from './flame-graph.tsx';
import { amount, exact, percent } from './format.ts';
import { FrameNumbers } from './frame-numbers.tsx';
import { rowLabel } from './frame-text.tsx';
import { ProblemNotice } from './notices.tsx';

interface Props {
  readonly tree: Tree;
  /** The function between; empty: the one with the most self value. */
  readonly name: string;
  readonly unit: string;
  readonly onName: (name: string) => void;
}

/** One function, who calls it above and what it calls below, over all places where it is called. */
export function Sandwich({ tree, name, unit, onName }: Props) {
  const rows = useMemo(
    () => functionRows(tree, tree.weights, [0]).toSorted((a, b) => (a.self > b.self ? -1 : a.self < b.self ? 1 : 0)),
    [tree],
  );
  const chosen = name === '' ? (rows[0]?.name ?? '') : name;
  const row = rows.find((one) => one.name === chosen);
  const treeKey = useTreeKey(tree);
  const found = useQuery<Neighbours>(chosen === '' ? null : `${treeKey} ${chosen}`, async (signal) => {
    try {
      return { ok: true, value: await askWorker<'neighbours'>({ kind: 'neighbours', tree, name: chosen }, signal) };
    } catch (error) {
      if (signal.aborted) throw error;
      return failure(0, 'worker', 'This cannot be shown', error instanceof Error ? error.message : String(error));
    }
  });
  const whole = tree.weights.total[0] ?? 0n;
  return (
    <div class="sandwich" aria-busy={found.loading}>
      <label class="field">
        <span>Function</span>
        <input
          type="text"
          class="mono text-input"
          list="sandwich-functions"
          value={chosen}
          spellcheck={false}
          onChange={(event) => onName(event.currentTarget.value)}
        />
        <datalist id="sandwich-functions">
          {rows.slice(0, 500).map((one) => (
            <option key={one.name} value={one.name} />
          ))}
        </datalist>
      </label>
      {row === undefined ? (
        <p class="hint">No sample of this range passes through a function of this name.</p>
      ) : (
        <p class="summary">
          <span>
            <b>{percent(shareOf(row.total, whole))}</b> of all, {amount(row.total, unit)}
          </span>
          <span>
            <b>{percent(shareOf(row.self, whole))}</b> in itself, {amount(row.self, unit)}
          </span>
          <span>
            <b>{exact(row.samples)}</b> samples
          </span>
        </p>
      )}
      {found.problem !== null && <ProblemNotice problem={found.problem} />}
      {found.value !== null && row !== undefined && (
        <>
          <h3>Who calls it</h3>
          <Half
            key={`callers ${chosen}`}
            name="Callers"
            growsUp
            tree={found.value.callers}
            unit={unit}
            onName={onName}
          />
          <h3>What it calls</h3>
          <Half
            key={`callees ${chosen}`}
            name="Callees"
            growsUp={false}
            tree={found.value.callees}
            unit={unit}
            onName={onName}
          />
        </>
      )}
    </div>
  );
}

interface HalfProps {
  readonly name: string;
  readonly tree: Tree;
  readonly growsUp: boolean;
  readonly unit: string;
  readonly onName: (name: string) => void;
}

function Half({ name, tree, growsUp, unit, onName }: HalfProps) {
  const [focus, setFocus] = useState<Focus>(wholeTree);
  const widths = useMemo(() => widthsOf(tree.weights), [tree]);
  const labelOf = useCallback((row: Row) => rowLabel(tree, row, widths[0] ?? 0, ''), [tree, widths]);
  const colourOf = useCallback(
    (row: Row, dark: boolean) => {
      const frame = tree.frame[row.node] ?? 0;
      return row.rest > 0
        ? kindColour('group', '', dark)
        : kindColour(tree.frames.kind[frame] ?? 'native', tree.frames.binary[frame] ?? '', dark);
    },
    [tree],
  );
  const onMenu = useCallback(
    (row: Row) => {
      if (row.rest === 0 && row.node !== 0) onName(tree.frames.name[tree.frame[row.node] ?? 0] ?? '');
    },
    [tree, onName],
  );
  const describe = (row: Row, layout: Layout) => (
    <>
      <FrameNumbers
        tree={tree}
        widths={widths}
        row={row}
        layout={layout}
        unit={unit}
        groupLabel=""
        average={null}
        shown={tree.weights.total[0] ?? 0n}
        isZoomed={false}
        hasSelf={!growsUp}
      />
      <p class="tip-hint">Right click: its own callers and callees</p>
    </>
  );
  return (
    <FlameGraph
      name={name}
      tree={tree}
      widths={widths}
      focus={focus}
      onFocus={setFocus}
      labelOf={labelOf}
      colourOf={colourOf}
      describe={describe}
      matches={null}
      growsUp={growsUp}
      onMenu={onMenu}
    />
  );
}
