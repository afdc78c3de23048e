import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Matcher } from '@everflame/profile';
import {
  type AgentReport,
  type DeletedFact,
  type FunctionCounts,
  type Mark,
  type Merged,
  type MergedDiff,
  type MergedTree,
  type MergeQuery,
  type RangeSeries,
  type Selection,
  type SeriesFact,
  StorageError,
  type StorageReader,
  type StorageStatus,
  type TimeRange,
  type VersionFact,
} from '../storage.ts';
import { labelsKey } from '@everflame/profile';
import { sortSeries } from '../series-order.ts';
import { versionFacts } from '../version-facts.ts';
import { DamagedBlock } from './block/block-file.ts';
import { FunctionCountsRun } from './counts/function-counts-run.ts';
import { type Connection, explained, openForReading } from './database.ts';
import {
  type Condition,
  conditionsOf,
  excluded,
  LabelView,
  labelsOf,
  type SelectedSeries,
  selectSeries,
} from './label-view.ts';
import { type MergeMode, MergeRun, type Retry, typeIndex } from './merge-run.ts';
import type { Part, PartSeries } from './part.ts';
import { RangeRun } from './range-run.ts';
import { damagedParts, noteDamage, Sources } from './sources.ts';
import type { NodeSums } from './tree/node-sums.ts';
import { TreeIndex } from './tree/tree-index.ts';
import { pairedTree } from './tree/tree-pair.ts';
import { TreeRun } from './tree/tree-run.ts';
import { Vector } from './vector-scratch.ts';

const allTime: TimeRange = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };

/** Reads an embedded store: each call sees one committed state. Any number of readers may stand beside the writer. */
export class EmbeddedReader implements StorageReader {
  readonly #dataDir: string;
  readonly #db: Connection;
  readonly #sources: Sources;
  readonly #between: () => void;
  #trees = new TreeIndex();

  /**
   * `between`: called between the parts of a store that a question reads, whose dictionaries are dropped then.
   *
   * @throws StorageError
   */
  constructor(dataDir: string, between: () => void = () => undefined) {
    this.#dataDir = dataDir;
    this.#between = between;
    this.#db = openForReading(dataDir);
    this.#sources = new Sources(dataDir, this.#db);
  }

  series(range: TimeRange, matchers: readonly Matcher[]): Promise<readonly SeriesFact[]> {
    return this.#read(() => {
      const facts = new Map<string, SeriesFact>();
      const conditions = conditionsOf(matchers);
      const view = new LabelView([]);
      for (const part of this.#parts(range, conditions)) {
        let isInUse = false;
        for (const series of part.series) {
          const selected = selectSeries(series.labels, conditions);
          if (selected === null || !overlaps(series, range)) continue;
          if (selected.open.length > 0 && !isInUse) {
            view.use(part);
            isInUse = true;
          }
          for (const header of series.headers) {
            const { name, labels } = series;
            const { sampleTypes, defaultSampleType, periodType } = header.header;
            const key = JSON.stringify([name, labelsKey(labels), sampleTypes, defaultSampleType, periodType]);
            if (facts.has(key) || !hasSample(series, header, range, selected, view)) continue;
            facts.set(key, { name, labels: { ...labels }, sampleTypes, defaultSampleType, periodType });
          }
        }
      }
      return sortSeries([...facts.values()]);
    });
  }

  sampleLabelNames(range: TimeRange): Promise<readonly string[]> {
    return this.#read(() => {
      const names = new Set<string>();
      this.#eachLabelSet(range, (labels) => {
        for (const name of Object.keys(labels)) names.add(name);
      });
      return [...names].sort();
    });
  }

  sampleLabelValues(range: TimeRange, name: string): Promise<readonly string[]> {
    return this.#read(() => {
      const values = new Set<string>();
      this.#eachLabelSet(range, (labels) => {
        const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
        if (value !== undefined) values.add(value);
      });
      return [...values].sort();
    });
  }

  merge(query: MergeQuery): Promise<Merged> {
    return this.#read(() => {
      // What a large store is merged into takes as much as the index of its trees: the next question about these makes that anew, in less time than this takes.
      if (this.#trees.isLarge) this.#dropTrees();
      let mode: MergeMode = { onlyAskedType: false, bigSums: false };
      for (;;) {
        const answer = this.#runMerge(query, mode);
        if (typeof answer !== 'string') return answer;
        mode = answer === 'shapes_differ' ? { ...mode, onlyAskedType: true } : { ...mode, bigSums: true };
      }
    });
  }

  tree(selection: Selection, maxNodes?: number): Promise<MergedTree | null> {
    return this.#read(() => {
      if (this.#trees.isFull) this.#dropTrees();
      return this.#runTree(selection, this.#trees.nodeSums)?.finish(maxNodes) ?? null;
    });
  }

  diff(before: Selection, after: Selection): Promise<MergedDiff | null> {
    return this.#read(() => {
      if (this.#trees.isFull) this.#dropTrees();
      const one = this.#runTree(before, this.#trees.nodeSums);
      const other = one === null ? null : this.#runTree(after, this.#trees.otherNodeSums);
      const tree = one === null || other === null ? null : pairedTree(this.#trees, one, other);
      if (one === null || other === null || tree === null) return null;
      return { tree, profiles: { before: one.profiles, after: other.profiles } };
    });
  }

  range(selection: Selection, stepMs: number, by: readonly string[]): Promise<readonly RangeSeries[]> {
    return this.#read(() => {
      const run = new RangeRun(stepMs, by);
      const vector = new Vector();
      for (const [part, selected] of this.#selected(selection)) {
        run.begin(part);
        for (const { series, own } of selected) {
          selection.check?.();
          for (const [i, row] of series.rows().entries()) {
            if (row.timeMs < selection.fromMs || row.timeMs >= selection.untilMs) continue;
            const type = typeIndex(row.header, selection);
            if (type < 0) continue;
            run.add(own, row, type, () => {
              series.read(i, vector);
              return vector;
            });
          }
        }
      }
      return run.finish();
    });
  }

  functionCounts(selection: Selection, stepMs: number, by: readonly string[]): Promise<FunctionCounts> {
    return this.#read(() => {
      const run = new FunctionCountsRun(selection, stepMs, by);
      for (const [part, selected] of this.#selected(selection)) run.add(part, selected);
      return run.finish();
    });
  }

  versions(): Promise<readonly VersionFact[]> {
    return this.#read(() =>
      versionFacts(
        this.#allSeries().map(({ labels, firstMs, endMs, samples }) => ({ labels, firstMs, lastMs: endMs, samples })),
      ),
    );
  }

  marks(): Promise<readonly Mark[]> {
    return this.#read(() =>
      this.#db
        .prepare<[], Mark>(
          'SELECT service, version, environment, at_ms AS atMs, commit_id AS "commit", url FROM mark ORDER BY at_ms',
        )
        .all(),
    );
  }

  status(): Promise<StorageStatus> {
    return this.#read(() => {
      const series = this.#allSeries();
      const agents = this.#db.prepare('SELECT report FROM agent ORDER BY id').pluck().all() as string[];
      const fileBytes = (name: string) => statSync(join(this.#dataDir, name), { throwIfNoEntry: false })?.size ?? 0;
      const blocks = this.#sources.blocks();
      return {
        profiles: series.reduce((sum, { profiles }) => sum + profiles, 0),
        series: new Set(series.map(({ name, labels }) => JSON.stringify([name, labelsKey(labels)]))).size,
        bytes:
          fileBytes('everflame.db') + fileBytes('everflame.db-wal') + blocks.reduce((sum, { bytes }) => sum + bytes, 0),
        oldestMs: series.length === 0 ? null : series.reduce((ms, { firstMs }) => Math.min(ms, firstMs), Infinity),
        newestMs: series.length === 0 ? null : series.reduce((ms, { endMs }) => Math.max(ms, endMs), 0),
        deleted: this.#db
          .prepare<[], DeletedFact>(
            'SELECT cause, profiles, samples, bytes, until_ms AS untilMs FROM deleted ORDER BY cause',
          )
          .all(),
        damaged: damagedParts(this.#dataDir, this.#db),
        agents: agents.map((text) => JSON.parse(text) as AgentReport),
      };
    });
  }

  /** Gives up what it keeps for the next question about trees where that is of many services. */
  forgetLarge(): void {
    if (this.#trees.isLarge) this.#dropTrees();
  }

  close(): Promise<void> {
    this.#sources.close();
    this.#db.close();
    return Promise.resolve();
  }

  #dropTrees(): void {
    this.#trees.discard();
    this.#trees = new TreeIndex();
  }

  /** Runs a question in one read transaction; again without a block that turns out to be damaged or merged away. */
  #read<T>(question: () => T): Promise<T> {
    return Promise.resolve().then(() =>
      explained(this.#dataDir, () => {
        let lastGone = '';
        for (let attempt = 1; ; attempt++) {
          try {
            return this.#db.transaction(question)();
          } catch (error) {
            if (error instanceof DamagedBlock) {
              noteDamage(this.#dataDir, error);
              if (attempt === maxAttempts) throw new StorageError('damaged', error.message, { cause: error });
            } else if (!isGone(error) || attempt === maxAttempts) throw error;
            // One that the list of a later transaction still has was not merged away.
            else if (error.path === lastGone) noteDamage(this.#dataDir, new DamagedBlock(`${lastGone} is missing`));
            else lastGone = error.path;
          }
        }
      }),
    );
  }

  #parts(range: TimeRange, conditions: readonly Condition[]): IterableIterator<Part> {
    const own = conditions.filter(({ name }) => name === 'service_name');
    return this.#sources.parts(range, (service) => service === '' || own.every(({ test }) => test(service)));
  }

  *#selected(
    selection: Selection,
  ): IterableIterator<
    readonly [part: Part, selected: { readonly series: PartSeries; readonly own: SelectedSeries }[]]
  > {
    const conditions = conditionsOf(selection.matchers);
    for (const part of this.#parts(selection, conditions)) {
      const selected = [];
      for (const series of part.series) {
        if (series.name !== selection.name || !overlaps(series, selection)) continue;
        const own = selectSeries(series.labels, conditions);
        if (own !== null && series.headers.some(({ header }) => typeIndex(header, selection) >= 0)) {
          selected.push({ series, own });
        }
      }
      if (selected.length === 0) continue;
      yield [part, selected];
      this.#between();
    }
  }

  /** Null: `MergeRun` has to answer. */
  #runTree(selection: Selection, sums: NodeSums): TreeRun | null {
    const run = new TreeRun(this.#trees, selection, (header) => typeIndex(header, selection), sums);
    for (const [part, selected] of this.#selected(selection)) if (!run.add(part, selected)) return null;
    return run;
  }

  #runMerge(query: MergeQuery, mode: MergeMode): Merged | Retry {
    const run = new MergeRun(query, mode);
    for (const [part, selected] of this.#selected(query)) {
      run.begin(part);
      for (const { series, own } of selected) {
        query.check?.();
        const retry = run.add(series, own);
        if (retry !== null) return retry;
      }
    }
    return run.finish(this.#between);
  }

  #allSeries(): PartSeries[] {
    return [...this.#sources.parts(allTime, () => true)].flatMap(({ series }) => series);
  }

  #eachLabelSet(range: TimeRange, each: (labels: Readonly<Record<string, string>>) => void): void {
    for (const part of this.#sources.parts(range, () => true)) {
      const sets = new Set<number>();
      for (const series of part.series) {
        if (!overlaps(series, range)) continue;
        for (const set of series.labelSetsIn(range)) sets.add(set);
      }
      for (const set of sets) if (set > 0) each(labelsOf(part.dictionary, set));
    }
  }
}

/** More blocks than this are not found damaged in one question. */
const maxAttempts = 100;

function isGone(error: unknown): error is Error & { readonly path: string } {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT' && 'path' in error;
}

function overlaps(
  { firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number },
  range: TimeRange,
): boolean {
  return firstMs < range.untilMs && lastMs >= range.fromMs;
}

/** Whether a profile of this shape is in the range, with a sample that satisfies what the series' own labels leave open. */
function hasSample(
  series: PartSeries,
  { header, firstMs, lastMs }: PartSeries['headers'][number],
  range: TimeRange,
  selected: SelectedSeries,
  view: LabelView,
): boolean {
  if (!overlaps({ firstMs, lastMs }, range)) return false;
  const isWithin = (timeMs: number) => timeMs >= range.fromMs && timeMs < range.untilMs;
  if (selected.open.length === 0) return isWithin(firstMs) || isWithin(lastMs) || series.hasProfile(header, range);
  return series.rows().some((row) => {
    if (row.header !== header || !isWithin(row.timeMs)) return false;
    const { labelSets } = row;
    const classes = view.classes(selected, labelSets.length === 0 ? new Uint32Array(1) : labelSets);
    return classes.some((one) => one !== excluded);
  });
}
