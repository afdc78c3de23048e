import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Labels, Matcher, ValueType } from '@everflame/profile';
import {
  type AgentReport,
  type Mark,
  type Merged,
  type MergeQuery,
  type RangeSeries,
  type Selection,
  type SeriesFact,
  type StorageReader,
  type StorageStatus,
  type TimeRange,
  type VersionFact,
} from '../storage.ts';
import { sortSeries } from '../series-order.ts';
import { versionFacts } from '../version-facts.ts';
import { ByteReader } from './bytes.ts';
import { type Connection, explained, openForReading } from './database.ts';
import { Dictionary } from './dictionary.ts';
import { type Header, parseHeader } from './header.ts';
import { conditionsOf, excluded, LabelView, type SelectedSeries, selectSeries, labelsOf } from './label-view.ts';
import { type MergeMode, MergeRun } from './merge-run.ts';
import { RangeRun } from './range-run.ts';
import { decodeLabelSets, unpack } from './vector.ts';

interface SeriesRow {
  readonly id: number;
  readonly name: string;
  readonly labels: string;
}
interface ProfileRow {
  readonly id: number;
  readonly header: number;
  readonly time_ms: number;
  readonly label_sets: Uint8Array;
  readonly totals: Uint8Array;
  readonly data: Uint8Array;
}

/** Reads an embedded store: each call sees one committed state. Any number of readers may stand beside the writer. */
export class EmbeddedReader implements StorageReader {
  readonly #dataDir: string;
  readonly #db: Connection;
  readonly #dictionary = new Dictionary();
  readonly #headers = new Map<number, Header>();
  readonly #statements: ReturnType<typeof prepare>;
  #sequence = 0;

  /** @throws StorageError */
  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#db = openForReading(dataDir);
    this.#statements = prepare(this.#db);
  }

  series(range: TimeRange, matchers: readonly Matcher[]): Promise<readonly SeriesFact[]> {
    return this.#read(() => {
      const facts = new Map<string, SeriesFact>();
      const known = new Map<number, { name: string; selected: SelectedSeries | null }>();
      const view = new LabelView(this.#dictionary, []);
      const conditions = conditionsOf(matchers);
      for (const { series, header } of this.#statements.seriesInRange.all(range.fromMs, range.untilMs)) {
        let one = known.get(series);
        if (one === undefined) {
          const row = this.#statements.oneSeries.get(series);
          if (row === undefined) throw new RangeError(`series ${series} is missing`);
          one = { name: row.name, selected: selectSeries(series, parseLabels(row.labels), conditions) };
          known.set(series, one);
        }
        const { name, selected } = one;
        if (selected === null || (selected.open.length > 0 && !this.#hasSample(view, selected, header, range)))
          continue;
        const { sampleTypes, defaultSampleType, periodType } = this.#header(header);
        const fact = { name, labels: selected.labels, sampleTypes, defaultSampleType, periodType };
        facts.set(JSON.stringify([series, sampleTypes, defaultSampleType, periodType]), fact);
      }
      return sortSeries([...facts.values()]);
    });
  }

  sampleLabelNames(range: TimeRange): Promise<readonly string[]> {
    return this.#read(() => {
      const names = new Set<string>();
      for (const set of this.#labelSetsIn(range)) {
        for (const name of Object.keys(labelsOf(this.#dictionary, set))) names.add(name);
      }
      return [...names].sort();
    });
  }

  sampleLabelValues(range: TimeRange, name: string): Promise<readonly string[]> {
    return this.#read(() => {
      const values = new Set<string>();
      for (const set of this.#labelSetsIn(range)) {
        const labels = labelsOf(this.#dictionary, set);
        const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
        if (value !== undefined) values.add(value);
      }
      return [...values].sort();
    });
  }

  merge(query: MergeQuery): Promise<Merged> {
    return this.#read(() => {
      const series = this.#select(query.name, query.matchers);
      let mode: MergeMode = { onlyAskedType: false, bigSums: false };
      for (;;) {
        const run = new MergeRun(this.#dictionary, query, mode);
        const retry = this.#runMerge(run, series, query);
        if (retry === null) return run.finish();
        mode = retry === 'shapes_differ' ? { ...mode, onlyAskedType: true } : { ...mode, bigSums: true };
      }
    });
  }

  range(selection: Selection, stepMs: number, by: readonly string[]): Promise<readonly RangeSeries[]> {
    return this.#read(() => {
      const run = new RangeRun(this.#dictionary, stepMs, by);
      for (const series of this.#select(selection.name, selection.matchers)) {
        for (const row of this.#statements.totals.iterate(series.id, selection.fromMs, selection.untilMs)) {
          const header = this.#header(row.header);
          const type = typeIndex(header, selection);
          if (type < 0) continue;
          run.add({ series, header, type, timeMs: row.time_ms, labelSets: row.label_sets, totals: row.totals }, () => {
            const data = this.#statements.data.get(row.id);
            if (data === undefined) throw new RangeError(`profile ${row.id} is gone`);
            return data;
          });
        }
      }
      return run.finish();
    });
  }

  versions(): Promise<readonly VersionFact[]> {
    return this.#read(() =>
      versionFacts(
        this.#statements.allSeries.all().map((row) => ({
          labels: parseLabels(row.labels),
          firstMs: row.first_ms,
          lastMs: row.last_ms,
          samples: row.samples,
        })),
      ),
    );
  }

  marks(): Promise<readonly Mark[]> {
    return this.#read(() => this.#statements.marks.all());
  }

  status(): Promise<StorageStatus> {
    return this.#read(() => {
      const row = this.#statements.summary.get();
      const agents = this.#statements.agents.all().map((text) => JSON.parse(text) as AgentReport);
      return {
        profiles: row?.profiles ?? 0,
        series: row?.series ?? 0,
        bytes: ['everflame.db', 'everflame.db-wal'].reduce(
          (sum, name) => sum + fileBytes(join(this.#dataDir, name)),
          0,
        ),
        oldestMs: row?.oldest ?? null,
        newestMs: row?.newest ?? null,
        deleted: [],
        damaged: [],
        agents,
      };
    });
  }

  close(): Promise<void> {
    this.#db.close();
    return Promise.resolve();
  }

  /** Runs a question in one read transaction with the dictionary as of that state. */
  #read<T>(question: () => T): Promise<T> {
    return Promise.resolve().then(() =>
      explained(
        this.#dataDir,
        this.#db.transaction(() => {
          for (const record of this.#statements.dictionary.iterate(this.#sequence)) {
            this.#dictionary.apply(new ByteReader(unpack(record.data)));
            this.#sequence = record.sequence;
          }
          return question();
        }),
      ),
    );
  }

  #select(name: string, matchers: readonly Matcher[]): SelectedSeries[] {
    const conditions = conditionsOf(matchers);
    const selected: SelectedSeries[] = [];
    for (const row of this.#statements.namedSeries.iterate(name)) {
      const series = selectSeries(row.id, parseLabels(row.labels), conditions);
      if (series !== null) selected.push(series);
    }
    return selected;
  }

  #runMerge(run: MergeRun, selected: readonly SelectedSeries[], query: MergeQuery) {
    for (const series of selected) {
      for (const row of this.#statements.profiles.iterate(series.id, query.fromMs, query.untilMs)) {
        const header = this.#header(row.header);
        if (typeIndex(header, query) < 0) continue;
        const { id, time_ms: timeMs, label_sets: labelSets, data } = row;
        const retry = run.add({ id, series, header, timeMs, labelSets, data });
        if (retry !== null) return retry;
      }
    }
    return null;
  }

  /** Whether a sample of the series satisfies the matchers that the series leaves open. */
  #hasSample(view: LabelView, series: SelectedSeries, header: number, range: TimeRange): boolean {
    for (const bytes of this.#statements.seriesLabelSets.iterate(series.id, range.fromMs, range.untilMs, header)) {
      const sets = decodeLabelSets(bytes);
      const classes = view.classes(series, sets.length === 0 ? new Uint32Array(1) : sets);
      if (classes.some((one) => one !== excluded)) return true;
    }
    return false;
  }

  #labelSetsIn(range: TimeRange): Set<number> {
    const sets = new Set<number>();
    for (const bytes of this.#statements.labelSets.iterate(range.fromMs, range.untilMs)) {
      for (const set of decodeLabelSets(bytes)) sets.add(set);
    }
    return sets;
  }

  #header(id: number): Header {
    const known = this.#headers.get(id);
    if (known !== undefined) return known;
    const text = this.#statements.header.get(id);
    if (text === undefined) throw new RangeError(`header ${id} is missing`);
    const header = parseHeader(text);
    // Comments may differ from profile to profile; this many are enough to be fast.
    if (this.#headers.size > 10_000) this.#headers.clear();
    this.#headers.set(id, header);
    return header;
  }
}

/** Where the selected type is in profiles with this header; -1 when they do not have it. */
function typeIndex(header: Header, { sampleType, periodType }: Selection): number {
  if (!isType(header.periodType, periodType)) return -1;
  return header.sampleTypes.findIndex((type) => isType(type, sampleType));
}

function isType(a: ValueType, b: ValueType): boolean {
  return a.type === b.type && a.unit === b.unit;
}

/** Without a prototype, so that a label named `constructor` is absent where it is absent. */
function parseLabels(text: string): Labels {
  return Object.assign(Object.create(null), JSON.parse(text)) as Labels;
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

interface Query<Parameters extends unknown[], Row> {
  get(...parameters: Parameters): Row | undefined;
  all(...parameters: Parameters): Row[];
  iterate(...parameters: Parameters): IterableIterator<Row>;
}

function prepare(db: Connection) {
  const rows = <Parameters extends unknown[], Row>(sql: string) =>
    db.prepare<Parameters, Row>(sql) as Query<Parameters, Row>;
  const column = <Parameters extends unknown[], Value>(sql: string) =>
    db.prepare(sql).pluck() as unknown as Query<Parameters, Value>;
  type Span = [series: number, fromMs: number, untilMs: number];
  return {
    agents: column<[], string>('SELECT report FROM agent ORDER BY id'),
    allSeries: rows<[], SeriesRow & { first_ms: number; last_ms: number; samples: number }>('SELECT * FROM series'),
    data: column<[number], Uint8Array>('SELECT data FROM profile WHERE id = ?'),
    dictionary: rows<[number], { sequence: number; data: Uint8Array }>(
      'SELECT sequence, data FROM dictionary WHERE sequence > ? ORDER BY sequence',
    ),
    header: column<[number], string>('SELECT text FROM header WHERE id = ?'),
    labelSets: column<[number, number], Uint8Array>(
      'SELECT DISTINCT label_sets FROM profile WHERE time_ms >= ? AND time_ms < ?',
    ),
    marks: rows<[], Mark>(
      'SELECT service, version, environment, at_ms AS atMs, commit_id AS "commit", url FROM mark ORDER BY at_ms',
    ),
    namedSeries: rows<[string], SeriesRow>('SELECT id, name, labels FROM series WHERE name = ?'),
    oneSeries: rows<[number], SeriesRow>('SELECT id, name, labels FROM series WHERE id = ?'),
    profiles: rows<Span, ProfileRow>(
      'SELECT id, header, time_ms, label_sets, data FROM profile WHERE series = ? AND time_ms >= ? AND time_ms < ?',
    ),
    seriesLabelSets: column<[...Span, header: number], Uint8Array>(
      'SELECT DISTINCT label_sets FROM profile WHERE series = ? AND time_ms >= ? AND time_ms < ? AND header = ?',
    ),
    seriesInRange: rows<[number, number], { series: number; header: number }>(
      'SELECT DISTINCT series, header FROM profile WHERE time_ms >= ? AND time_ms < ?',
    ),
    summary: rows<[], { profiles: number; series: number; oldest: number | null; newest: number | null }>(
      'SELECT coalesce(sum(profiles), 0) AS profiles, count(*) AS series, min(first_ms) AS oldest, max(last_ms) AS newest FROM series',
    ),
    totals: rows<Span, ProfileRow>(
      'SELECT id, header, time_ms, label_sets, totals FROM profile WHERE series = ? AND time_ms >= ? AND time_ms < ?',
    ),
  };
}
