import type { ComponentChildren } from 'preact';
import { shareInterval } from '../tree/interval.ts';
import { shareOf } from '../tree/sums.ts';
import type { Column } from './data-table.tsx';
import { amount, exact, exactAmount, percent } from './format.ts';

/** What a row of a table costs. */
export interface Cost {
  readonly self: bigint;
  readonly total: bigint;
  readonly samples: number;
}

interface Amounts<Row> {
  /** Null: the row costs nothing. */
  readonly costOf: (row: Row) => Cost | null;
  /** What the row is, for the headings. */
  readonly noun: string;
  /** What shares are of. */
  readonly whole: bigint;
  readonly wholeSamples: number;
  readonly unit: string;
  readonly rows: readonly Cost[];
}

/** Self, total, their shares, how sure they are and the samples behind them. */
export function amountColumns<Row>({ costOf, noun, whole, wholeSamples, unit, rows }: Amounts<Row>): Column<Row>[] {
  let mostSelf = 0n;
  let mostTotal = 0n;
  for (const { self, total } of rows) {
    if (self > mostSelf) mostSelf = self;
    if (total > mostTotal) mostTotal = total;
  }
  const cell =
    (show: (cost: Cost) => ComponentChildren) =>
    (row: Row): ComponentChildren => {
      const cost = costOf(row);
      return cost === null ? '' : show(cost);
    };
  const value = (one: bigint): ComponentChildren => <span title={exactAmount(one, unit)}>{amount(one, unit)}</span>;
  const share = (one: bigint, most: bigint): ComponentChildren => {
    const length = Math.min(Math.max(shareOf(one, most), 0), 1);
    return (
      <span class="share">
        <span class="share-bar" style={{ transform: `scaleX(${length})` }} />
        <span>{percent(shareOf(one, whole))}</span>
      </span>
    );
  };
  return [
    {
      key: 'self',
      title: 'Self',
      help: `Spent in the ${noun} itself`,
      align: 'right',
      width: '4.7rem',
      cell: cell(({ self }) => value(self)),
    },
    {
      key: 'self-share',
      title: '%',
      help: 'Self, as a share of what is shown',
      align: 'right',
      width: '4.2rem',
      cell: cell(({ self }) => share(self, mostSelf)),
    },
    {
      key: 'total',
      title: 'Total',
      help: `Spent in the ${noun} and in what it calls; each sample counts once, however deep it recurses`,
      align: 'right',
      width: '4.7rem',
      cell: cell(({ total }) => value(total)),
    },
    {
      key: 'total-share',
      title: '%',
      help: 'Total, as a share of what is shown',
      align: 'right',
      width: '4.2rem',
      cell: cell(({ total }) => share(total, mostTotal)),
      wideOnly: true,
    },
    {
      key: 'interval',
      title: '± points',
      help: 'How far the share of the total may be off in percentage points, told from the number of samples (Wilson)',
      align: 'right',
      width: '4.2rem',
      cell: cell(({ samples }) => {
        const [low, high] = shareInterval(samples, wholeSamples);
        return `±${(((high - low) / 2) * 100).toFixed(2)}`;
      }),
      wideOnly: true,
    },
    {
      key: 'samples',
      title: 'Samples',
      help: 'Samples behind the total',
      align: 'right',
      width: '4.7rem',
      cell: cell(({ samples }) => exact(samples)),
      wideOnly: true,
    },
  ];
}
