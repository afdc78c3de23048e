import { useMemo } from 'preact/hooks';
import type { FunctionRow } from '../tree/function-rows.ts';
import { frameTextMatches, type Test } from '../tree/search.ts';
import { amountColumns } from './amount-columns.tsx';
import { type Column, DataTable } from './data-table.tsx';
import { exact } from './format.ts';
import { matchesFirst } from './matches-first.ts';
import { shortFrameName } from './short-name.ts';

interface Props {
  readonly rows: readonly FunctionRow[];
  readonly whole: bigint;
  readonly wholeSamples: number;
  readonly unit: string;
  /** What a row is. */
  readonly noun: 'function' | 'line' | 'file' | 'binary';
  readonly sort: string;
  readonly onSort: (key: string) => void;
  readonly filter: string;
  readonly onFilter: (text: string) => void;
  readonly matches: Test | null;
  readonly onRow: (row: FunctionRow) => void;
}

const titles = { function: 'Function', line: 'Line', file: 'Source file', binary: 'Binary' } as const;
const plurals = { function: 'functions', line: 'lines', file: 'files', binary: 'binaries' } as const;

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
  const amounts = useMemo(
    () => amountColumns<FunctionRow>({ costOf: (row) => row, noun, whole, wholeSamples, unit, rows }),
    [noun, whole, wholeSamples, unit, rows],
  );
  const columns: readonly Column<FunctionRow>[] = [
    {
      key: 'name',
      title: titles[noun],
      align: 'left',
      cell: (row) => <span class="function-name">{shortFrameName(row.name, row.file)}</span>,
    },
    ...amounts,
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

export function sortRows(rows: readonly FunctionRow[], key: string): readonly FunctionRow[] {
  if (key === 'name') return rows.toSorted(byName);
  const valueOf = valuesBy[key] ?? valuesBy['self'];
  if (valueOf === undefined) return rows;
  // As doubles first: a comparison of BigInts costs many times as much, and few are that close.
  const rough = Float64Array.from(rows, (row) => Number(valueOf(row)));
  const places = Uint32Array.from(rows, (_, index) => index);
  places.sort((a, b) => {
    const apart = (rough[b] ?? 0) - (rough[a] ?? 0);
    const [left, right] = [rows[a], rows[b]];
    if (apart !== 0 || left === undefined || right === undefined) return apart;
    const [first, second] = [valueOf(left), valueOf(right)];
    return first > second ? -1 : first < second ? 1 : byName(left, right);
  });
  return Array.from(places, (place) => rows[place]).filter((row) => row !== undefined);
}

const valuesBy: Readonly<Record<string, (row: FunctionRow) => bigint | number>> = {
  self: (row) => row.self,
  total: (row) => row.total,
  samples: (row) => row.samples,
};

function byName(a: FunctionRow, b: FunctionRow): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
