import { useEffect } from 'preact/hooks';
import type { KnownBuilds } from '../data/build-ids.ts';
import type { Tree } from '../data/tree-columns.ts';
import type { Average } from '../tree/average.ts';
import { shareInterval } from '../tree/interval.ts';
import { type Layout, membersOf, type Row } from '../tree/layout.ts';
import { shareOf, sumOf } from '../tree/sums.ts';
import { amount, coresNumber, exact, interval, percent } from './format.ts';
import { FrameHead, hiddenBelow } from './frame-text.tsx';
import { ValueTable } from './value-table.tsx';

interface Props {
  readonly tree: Tree;
  readonly widths: Float64Array;
  readonly row: Row;
  readonly layout: Layout;
  readonly unit: string;
  readonly groupLabel: string;
  readonly average: Average | null;
  /** Value of what is zoomed to. */
  readonly shown: bigint;
  readonly isZoomed: boolean;
  /** False where samples do not end in the frames that they were taken in. */
  readonly hasSelf: boolean;
  readonly builds: KnownBuilds;
}

/** All that is known of a frame: the tooltip. */
export function FrameNumbers(props: Props) {
  const { tree, widths, row, layout, unit, groupLabel, average, shown, isZoomed, hasSelf, builds } = props;
  useEffect(() => builds.ask(), [builds]);
  const isTime = unit === 'nanoseconds';
  const whole = tree.weights.total[0] ?? 0n;
  const wholeSamples = tree.weights.samples[0] ?? 0;
  const sum = sumOf(tree.weights, membersOf(tree, widths, row));
  const below = hiddenBelow(layout, row);
  const line = (name: string, value: bigint, samples: number) => ({
    name,
    cells: [
      isTime && average !== null ? coresNumber(shareOf(value, whole) * average.rate) : null,
      amount(value, unit),
      percent(shareOf(value, whole)),
      interval(...shareInterval(samples, wholeSamples)),
      exact(samples),
    ],
  });
  const self = row.rest > 0 || !hasSelf ? [] : [line('Self', sum.self, tree.weights.selfSamples[row.node] ?? 0)];
  return (
    <>
      <FrameHead tree={tree} widths={widths} row={row} groupLabel={groupLabel} buildIds={builds.ids} />
      <ValueTable
        columns={[
          average === null || !isTime ? null : 'Cores',
          isTime ? 'Time' : 'Value',
          'Share',
          '95 % interval',
          'Samples',
        ]}
        lines={[line('Total', sum.total, sum.samples), ...self]}
      />
      {isZoomed && <p class="tip-source">{percent(shareOf(sum.total, shown))} of what is zoomed to</p>}
      {below !== null && <p class="tip-hint">{below}</p>}
    </>
  );
}
