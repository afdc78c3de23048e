import { useCallback, useMemo, useState } from 'preact/hooks';
import { failure } from '../data/api.ts';
import { askWorker } from '../data/ask-worker.ts';
import type { KnownBuilds } from '../data/build-ids.ts';
import type { Tree } from '../data/tree-columns.ts';
import { useQuery } from '../data/use-query.ts';
import { useTreeKey } from '../data/use-shaped-tree.ts';
import type { Neighbours } from '../data/worker-messages.ts';
import type { FunctionRow } from '../tree/function-rows.ts';
import { type Focus, type Layout, type Row, wholeTree } from '../tree/layout.ts';
import { widthsOf } from '../tree/order.ts';
import { shareOf } from '../tree/sums.ts';
import { kindColour } from './colours.ts';
import { FlameGraph } from './flame-graph.tsx';
import { amount, exact, percent } from './format.ts';
import { FunctionPicker } from './function-picker.tsx';
import { FrameNumbers } from './frame-numbers.tsx';
import { rowLabel } from './frame-text.tsx';
import { ProblemNotice } from './notices.tsx';
import { useAfterPaint } from './use-after-paint.ts';

interface Props {
  readonly tree: Tree;
  /** Its functions, heaviest first. */
  readonly rows: readonly FunctionRow[];
  /** The function between; empty: the one with the most self value. */
  readonly name: string;
  readonly unit: string;
  readonly onName: (name: string) => void;
  readonly builds: KnownBuilds;
}

/** One function, who calls it above and what it calls below, over all places where it is called. */
export function Sandwich({ tree, rows, name, unit, onName, builds }: Props) {
  const names = useMemo(() => rows.map((one) => one.name), [rows]);
  const chosen = name === '' ? (names[0] ?? '') : name;
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
  const callers = found.value?.callers ?? null;
  const lowerHalf = found.value?.callees ?? null;
  const callees = useAfterPaint(lowerHalf);
  const callersKey = useTreeKey(callers ?? tree);
  const calleesKey = useTreeKey(callees ?? tree);
  return (
    <div class="sandwich" aria-busy={found.loading || callees !== lowerHalf}>
      <FunctionPicker names={names} value={chosen} onName={onName} />
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
      {callers !== null && row !== undefined && (
        <>
          <h3>Who calls it</h3>
          <Half
            key={`callers ${callersKey}`}
            name="Callers"
            growsUp
            tree={callers}
            unit={unit}
            onName={onName}
            builds={builds}
          />
        </>
      )}
      {callees !== null && row !== undefined && (
        <>
          <h3>What it calls</h3>
          <Half
            key={`callees ${calleesKey}`}
            name="Callees"
            growsUp={false}
            tree={callees}
            unit={unit}
            onName={onName}
            builds={builds}
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
  readonly builds: KnownBuilds;
}

function Half({ name, tree, growsUp, unit, onName, builds }: HalfProps) {
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
        builds={builds}
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
