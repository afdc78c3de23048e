import type { FunctionLines } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { useMemo } from 'preact/hooks';
import type { Answer } from '../data/api.ts';
import type { SourceOfLines, TextOfLines } from '../data/source-of-lines.ts';
import { useQuery } from '../data/use-query.ts';
import { shareInterval } from '../tree/interval.ts';
import { linesWanted, partsOf, rowsOf, type SourcePart, type SourceRow } from '../tree/source-lines.ts';
import { shareOf } from '../tree/sums.ts';
import { amountColumns } from './amount-columns.tsx';
import { type Column, DataTable } from './data-table.tsx';
import { amount, exact, interval, percent, plural } from './format.ts';
import { FunctionPicker } from './function-picker.tsx';
import { ProblemNotice } from './notices.tsx';

interface Props {
  readonly name: string;
  /** Functions to choose from, heaviest first. */
  readonly names: readonly string[];
  readonly onName: (name: string) => void;
  readonly source: SourceOfLines;
  /** Changes with the samples. */
  readonly sampleKey: string;
  /** Of everything. */
  readonly whole: bigint;
  readonly wholeSamples: number;
  readonly unit: string;
}

/** Files of which the text is asked for: a name that many files have is seldom looked at in all of them. */
const mostFiles = 8;
const mostParts = 20;

/** What each line of a function costs, with its text where the server may read it. */
export function SourcePanel({ name, names, onName, source, sampleKey, whole, wholeSamples, unit }: Props) {
  const lines = useQuery(name === '' ? null : `${sampleKey} ${name}`, async (signal) => source.load(name, signal));
  const found = useMemo(() => (lines.value === null ? null : partsOf(lines.value)), [lines.value]);
  const parts = found?.parts.slice(0, mostParts) ?? [];
  const wanted = useMemo(() => filesOf(found?.parts ?? []), [found]);
  const { text } = source;
  const texts = useQuery(text === null || wanted.size === 0 ? null : JSON.stringify([...wanted]), async (signal) =>
    text === null ? { ok: true, value: new Map() } : loadTexts(text, wanted, signal),
  );
  return (
    <div class="source" aria-busy={lines.loading || texts.loading}>
      <FunctionPicker names={names} value={name} onName={onName} />
      {lines.problem !== null && <ProblemNotice problem={lines.problem} />}
      {lines.value !== null && <Summary of={lines.value} whole={whole} wholeSamples={wholeSamples} unit={unit} />}
      {texts.problem !== null && <ProblemNotice problem={texts.problem} />}
      {parts.map((part) => (
        <Part
          key={JSON.stringify([part.file, part.binary, part.buildId])}
          part={part}
          text={texts.loading ? undefined : texts.value?.get(part.file)}
          whole={whole}
          wholeSamples={wholeSamples}
          unit={unit}
        />
      ))}
      {found !== null && found.parts.length > parts.length && (
        <p class="hint">{plural(found.parts.length - parts.length, 'more file')} with lighter lines.</p>
      )}
      {found !== null && found.others > 0 && <p class="hint">{plural(found.others, 'lighter line')} left out.</p>}
    </div>
  );
}

function Summary(props: { of: FunctionLines; whole: bigint; wholeSamples: number; unit: string }) {
  const { self, total, samples } = props.of.function;
  if (samples === 0) return <p class="hint">No sample of this range passes through a function of this name.</p>;
  return (
    <p class="summary">
      <span>
        <b>{percent(shareOf(total, props.whole))}</b> of all, {amount(total, props.unit)}
      </span>
      <span>
        <b>{percent(shareOf(self, props.whole))}</b> in itself, {amount(self, props.unit)}
      </span>
      <span>
        <b>{exact(samples)}</b> samples, 95 % interval {interval(...shareInterval(samples, props.wholeSamples))}
      </span>
    </p>
  );
}

interface PartProps {
  readonly part: SourcePart;
  /** Undefined: not there, or not there yet. */
  readonly text: http.SourceAnswer | undefined;
  readonly whole: bigint;
  readonly wholeSamples: number;
  readonly unit: string;
}

function Part({ part, text, whole, wholeSamples, unit }: PartProps) {
  const { file, binary, buildId } = part;
  const known = text === undefined || text.lines === null ? null : { first: text.first, lines: text.lines };
  const rows = rowsOf(part, known);
  const columns: readonly Column<SourceRow>[] = [
    { key: 'name', title: 'Line', align: 'left', cell: (row) => <LineText row={row} hasText={known !== null} /> },
    ...amountColumns<SourceRow>({
      costOf: (row) => (row.kind === 'line' ? row.cost : null),
      noun: 'line',
      whole,
      wholeSamples,
      unit,
      rows: part.lines,
    }),
  ];
  return (
    <section class="source-part">
      <h3 class="mono">{file === '' ? 'Source file not known' : file}</h3>
      <p class="hint">
        {[binary, buildId === '' ? '' : `build ID ${buildId}`].filter((one) => one !== '').join(' · ')}
      </p>
      {known !== null && (
        <p class="hint">As the file is on the server’s disk now; the build may be of another state.</p>
      )}
      {text !== undefined && text.lines === null && <p class="hint">Without the text: {text.detail}.</p>}
      {part.lines.every(({ line }) => line === 0n) && (
        <p class="hint">The profile says no lines here: the binary has no line table, or it was not at hand.</p>
      )}
      <DataTable
        name={`Lines of ${file === '' ? 'an unknown file' : file}`}
        columns={columns}
        rows={rows}
        keyOf={(row) => `${row.kind} ${row.line}`}
        sort=""
        onSort={() => undefined}
        sortable={[]}
        empty="No lines here."
      />
    </section>
  );
}

function LineText({ row, hasText }: { row: SourceRow; hasText: boolean }) {
  if (row.kind === 'gap') return <span class="source-line is-gap">{plural(row.count, 'line')} without samples</span>;
  return (
    <span class={`source-line${hasText && row.cost === null ? ' is-idle' : ''}`} title={row.text ?? undefined}>
      <span class="source-number">{row.line === 0 ? '?' : row.line}</span>
      {row.line === 0 ? 'line not known' : hasText ? (row.text ?? 'the file is shorter') : ''}
    </span>
  );
}

type Wanted = ReadonlyMap<string, { readonly first: number; readonly last: number }>;

/** One range for each file, over all of its builds. */
function filesOf(parts: readonly SourcePart[]): Wanted {
  const files = new Map<string, { first: number; last: number }>();
  for (const part of parts) {
    const range = linesWanted(part);
    if (range === null || part.file === '') continue;
    const known = files.get(part.file);
    if (known === undefined && files.size === mostFiles) continue;
    files.set(part.file, {
      first: Math.min(range.first, known?.first ?? Infinity),
      last: Math.max(range.last, known?.last ?? 0),
    });
  }
  return files;
}

async function loadTexts(
  load: TextOfLines,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Answer<ReadonlyMap<string, http.SourceAnswer>>> {
  const texts = new Map<string, http.SourceAnswer>();
  for (const [file, { first, last }] of wanted) {
    const answer = await load(file, first, last, signal);
    if (!answer.ok) return answer;
    texts.set(file, answer.value);
  }
  return { ok: true, value: texts };
}
