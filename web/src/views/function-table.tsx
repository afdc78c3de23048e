import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { FunctionRow } from '../tree/function-rows.ts';
import { shareInterval } from '../tree/interval.ts';
import { frameTextMatches, type Test } from '../tree/search.ts';
import { shareOf } from '../tree/sums.ts';
import { type Column, DataTable } from './data-table.tsx';
import { amount, exact, exactAmount, percent } from './format.ts';
import { matchesFirst } from './matches-first.ts';
import { shortName } from './short-name.ts';

interface Props {
  readonly rows: readonly FunctionRow[];
  readonly whole: bigint;
  readonly wholeSamples: number;
  readonly unit: string;
  /** What a row is. */
  readonly noun: 'function' | 'file' | 'binary';
  readonly sort: string;
  readonly onSort: (key: string) => void;
  readonly filter: string;
  readonly onFilter: (text: string) => void;
  readonly matches: Test | null;
  readonly onRow: (row: FunctionRow) => void;
}

const titles = { function: 'Function', file: 'Source file', binary: 'Binary' } as const;
const plurals = { function: 'functions', file: 'files', binary: 'binaries' } as const;

/** Functions of what the picture shows, heaviest first. */
export function FunctionTable(props: Props) {
  const { rows, whole, wholeSamples, unit, noun, sort, onSort, filter, onFilter, matches, onRow } = props;
  const isMatch = useMemo(
    () => (matches === null ? null : (row: FunctionRow) => frameTextMatches(row, matches)),
    [matches],
  );
  const shown = useMemo(
    () => matchesFirst(sortRows(filterRows(rows, filter), sort), isMatch),
    [rows, filter, sort, isMatch],
  );
  const largest = useMemo(() => {
    let self = 0n;
    let total = 0n;
    for (const row of rows) {
      if (row.self > self) self = row.self;
      if (row.total > total) total = row.total;
    }
    return { self: shareOf(self, whole), total: shareOf(total, whole) };
  }, [rows, whole]);
  const value = (one: bigint): ComponentChildren => <span title={exactAmount(one, unit)}>{amount(one, unit)}</span>;
  const share = (one: bigint, most: number): ComponentChildren => {
    const part = shareOf(one, whole);
    const length = most > 0 ? Math.min(Math.max(part / most, 0), 1) : 0;
    return (
      <span class="share">
        <span class="share-bar" style={{ transform: `scaleX(${length})` }} />
        <span>{percent(part)}</span>
      </span>
    );
  };
  const columns: readonly Column<FunctionRow>[] = [
    {
      key: 'name',
      title: titles[noun],
      align: 'left',
      cell: (row) => <span class="function-name">{shortName(row.name)}</span>,
    },
    {
      key: 'self',
      title: 'Self',
      help: 'Spent in the function itself',
      align: 'right',
      width: '4.7rem',
      cell: (row) => value(row.self),
    },
    {
      key: 'self-share',
      title: '%',
      help: 'Self, as a share of what is shown',
      align: 'right',
      width: '4.2rem',
      cell: (row) => share(row.self, largest.self),
    },
    {
      key: 'total',
      title: 'Total',
      help: 'Spent in the function and in what it calls; each sample counts once, however deep it recurses',
      align: 'right',
      width: '4.7rem',
      cell: (row) => value(row.total),
    },
    {
      key: 'total-share',
      title: '%',
      help: 'Total, as a share of what is shown',
      align: 'right',
      width: '4.2rem',
      cell: (row) => share(row.total, largest.total),
      wideOnly: true,
    },
    {
      key: 'interval',
      title: '± points',
      help: 'How far the share of the total may be off in percentage points, told from the number of samples (Wilson)',
      align: 'right',
      width: '4.2rem',
      cell: (row) => {
        const [low, high] = shareInterval(row.samples, wholeSamples);
        return `±${(((high - low) / 2) * 100).toFixed(2)}`;
      },
      wideOnly: true,
    },
    {
      key: 'samples',
      title: 'Samples',
      help: 'Samples behind the total',
      align: 'right',
      width: '4.7rem',
      cell: (row) => exact(row.samples),
      wideOnly: true,
    },
  ];
  return (
    <section class="table-box">
      <div class="table-head">
        <input
          type="search"
          value={filter}
          placeholder="Filter the table"
          aria-label="Filter the table by function, file or binary"
          spellcheck={false}
          onInput={(event) => onFilter(event.currentTarget.value)}
        />
        <span class="count">
          {exact(shown.length)}
          {shown.length === rows.length ? '' : ` of ${exact(rows.length)}`} {plurals[noun]}
        </span>
      </div>
      <DataTable
        name="Functions"
        columns={columns}
        rows={shown}
        keyOf={(row) => row.name}
        sort={sort}
        onSort={onSort}
        sortable={['name', 'self', 'total', 'samples']}
        onRow={onRow}
        rowTitle={(row) => [row.name, row.file, row.binary].filter((text) => text !== '').join('\n')}
        isMatch={isMatch}
        empty={rows.length === 0 ? 'No functions here.' : 'No function matches this filter.'}
      />
    </section>
  );
}

export function filterRows(rows: readonly FunctionRow[], filter: string): readonly FunctionRow[] {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return rows;
  return rows.filter((row) => [row.name, row.file, row.binary].some((text) => text.toLowerCase().includes(wanted)));
}

export function sortRows(rows: readonly FunctionRow[], key: string): FunctionRow[] {
  const byName = (a: FunctionRow, b: FunctionRow) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const descending = (of: (row: FunctionRow) => bigint | number) => (a: FunctionRow, b: FunctionRow) => {
    const left = of(a);
    const right = of(b);
    return left > right ? -1 : left < right ? 1 : byName(a, b);
  };
  switch (key) {
    case 'name':
      return rows.toSorted(byName);
    case 'total':
      return rows.toSorted(descending((row) => row.total));
    case 'samples':
      return rows.toSorted(descending((row) => row.samples));
    default:
      return rows.toSorted(descending((row) => row.self));
  }
}
