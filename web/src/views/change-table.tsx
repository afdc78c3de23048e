import { useMemo } from 'preact/hooks';
import type { ComparedFunction } from '../tree/comparison.ts';
import { isFinding, otherName, type Verdicts } from '../tree/verdicts.ts';
import { type Column, DataTable } from './data-table.tsx';
import { amount, coresChange, coresNumber, exact, exactAmount, percent, points } from './format.ts';
import { matchesFirst } from './matches-first.ts';
import { shortName } from './short-name.ts';
import { relativeInterval, VerdictTag } from './verdict-tag.tsx';

interface Props {
  readonly rows: readonly ComparedFunction[];
  readonly unit: string;
  readonly values: 'shares' | 'amounts';
  readonly names: { readonly before: string; readonly after: string };
  readonly rates: { readonly before: number | null; readonly after: number | null };
  readonly sort: string;
  readonly onSort: (key: string) => void;
  readonly only: 'all' | 'significant' | 'new' | 'gone';
  /** Null while or where there are none. */
  readonly verdicts: Verdicts | null;
  /** Whether there are verdicts, or will be: their columns are there from the first. */
  readonly isJudged: boolean;
  readonly filter: string;
  readonly matches: ((name: string) => boolean) | null;
  readonly onRow: (row: ComparedFunction) => void;
}

function PresenceTag({ row, other }: { readonly row: ComparedFunction; readonly other: string | null }) {
  if (row.presence === 'both') return null;
  if (other === null) return <span class={`tag is-${row.presence}`}>{row.presence}</span>;
  return (
    <span class="tag" title={row.presence === 'new' ? `${other} before` : `${other} after`}>
      other line
    </span>
  );
}

/** Functions of both sides, the largest change first. */
export function ChangeTable(props: Props) {
  const { rows, unit, values, names, rates, sort, onSort, only, verdicts, isJudged, filter, matches, onRow } = props;
  const change = (row: ComparedFunction) =>
    values === 'amounts' && row.deltaRate !== null ? row.deltaRate : row.deltaShare;
  const shown = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    const kept = rows.filter(
      (row) =>
        (only === 'all' ||
          (only === 'significant'
            ? isFinding(verdicts?.get(row.name))
            : row.presence === only && otherName(row.name, verdicts) === null)) &&
        (wanted === '' || row.name.toLowerCase().includes(wanted) || row.file.toLowerCase().includes(wanted)),
    );
    const sorted =
      sort === 'verdict' && verdicts !== null ? byVerdict(kept, verdicts) : sortChanges(kept, sort, change);
    return matchesFirst(sorted, matches === null ? null : (row) => matches(row.name));
  }, [rows, only, filter, sort, values, matches, verdicts]);
  const largest = Math.max(...rows.map((row) => Math.abs(change(row))), 0);
  const side = (row: ComparedFunction, which: 'before' | 'after') => {
    const share = which === 'before' ? row.shareBefore : row.shareAfter;
    const rate = rates[which];
    const value = row[which];
    const samples = which === 'before' ? row.samplesBefore : row.samplesAfter;
    const text = values === 'shares' ? percent(share) : rate === null ? amount(value, unit) : coresNumber(share * rate);
    return (
      <span title={`${exactAmount(value, unit)}, ${exact(samples)} samples through it`}>
        {value === 0n ? '–' : text}
      </span>
    );
  };
  const columns: readonly Column<ComparedFunction>[] = [
    {
      key: 'name',
      title: 'Function',
      align: 'left',
      cell: (row) => (
        <span class="function-name">
          <PresenceTag row={row} other={otherName(row.name, verdicts)} />
          {shortName(row.name)}
        </span>
      ),
    },
    {
      key: 'before',
      title: 'Before',
      help: names.before,
      align: 'right',
      width: '4.2rem',
      cell: (row) => side(row, 'before'),
    },
    {
      key: 'after',
      title: 'After',
      help: names.after,
      align: 'right',
      width: '4.2rem',
      cell: (row) => side(row, 'after'),
    },
    {
      key: 'change',
      title: values === 'amounts' && rates.before !== null ? 'Δ cores' : 'Δ points',
      help: values === 'amounts' ? 'Change of the cores used' : 'Change of the share of the side, in percentage points',
      align: 'right',
      width: '6rem',
      cell: (row) => {
        const delta = change(row);
        return (
          <span class={`delta ${delta > 0 ? 'is-more' : delta < 0 ? 'is-less' : ''}`}>
            <span class="delta-bar" style={{ transform: `scaleX(${largest > 0 ? Math.abs(delta) / largest : 0})` }} />
            <span>{values === 'amounts' && row.deltaRate !== null ? coresChange(delta) : points(delta)}</span>
          </span>
        );
      },
    },
    ...(!isJudged
      ? []
      : [
          {
            key: 'interval',
            title: '95 %',
            help: 'Interval of the relative change of the total, dilution and daily drift taken off',
            align: 'right' as const,
            width: '10rem',
            wideOnly: true,
            cell: (row: ComparedFunction) => {
              const interval = verdicts?.get(row.name)?.interval;
              return interval === null || interval === undefined ? '' : relativeInterval(interval);
            },
          },
          {
            key: 'q',
            title: 'q',
            help: 'Chance that this is a false finding, all functions accounted for (Benjamini-Hochberg)',
            align: 'right' as const,
            width: '3.6rem',
            wideOnly: true,
            cell: (row: ComparedFunction) => qText(verdicts?.get(row.name)?.q),
          },
          {
            key: 'verdict',
            title: 'Verdict',
            align: 'left' as const,
            width: '7.2rem',
            cell: (row: ComparedFunction) => {
              const one = verdicts?.get(row.name);
              return one === undefined ? '' : <VerdictTag one={one} />;
            },
          },
        ]),
    ...(rates.before === null || rates.after === null
      ? []
      : [
          {
            key: 'other',
            title: values === 'amounts' ? 'Δ points' : 'Δ cores',
            align: 'right' as const,
            width: '4.6rem',
            wideOnly: true,
            cell: (row: ComparedFunction) =>
              values === 'amounts' ? points(row.deltaShare) : row.deltaRate === null ? '' : coresChange(row.deltaRate),
          },
        ]),
  ];
  return (
    <DataTable
      name="Changes by function"
      columns={columns}
      rows={shown}
      keyOf={(row) => row.name}
      sort={sort}
      onSort={onSort}
      sortable={['name', 'before', 'after', 'change', 'verdict']}
      onRow={onRow}
      rowTitle={(row) => (row.file === '' ? row.name : `${row.name}\n${row.file}`)}
      isMatch={matches === null ? null : (row) => matches(row.name)}
      empty={rows.length === 0 ? 'No functions on either side.' : 'No function like that.'}
    />
  );
}

function qText(q: number | null | undefined): string {
  if (q === null || q === undefined) return '';
  return q < 0.001 ? '<0.001' : q.toFixed(3);
}

/** Findings first, in the order of the answer. */
function byVerdict(rows: readonly ComparedFunction[], verdicts: Verdicts): ComparedFunction[] {
  const place = new Map([...verdicts.keys()].map((name, index) => [name, index]));
  const at = (row: ComparedFunction) => place.get(row.name) ?? Infinity;
  return rows.toSorted((a, b) => at(a) - at(b) || 0);
}

export function sortChanges(
  rows: readonly ComparedFunction[],
  key: string,
  change: (row: ComparedFunction) => number,
): ComparedFunction[] {
  const byName = (a: ComparedFunction, b: ComparedFunction) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  switch (key) {
    case 'name':
      return rows.toSorted(byName);
    case 'before':
      return rows.toSorted((a, b) => b.shareBefore - a.shareBefore || byName(a, b));
    case 'after':
      return rows.toSorted((a, b) => b.shareAfter - a.shareAfter || byName(a, b));
    default:
      return rows.toSorted((a, b) => Math.abs(change(b)) - Math.abs(change(a)) || byName(a, b));
  }
}
