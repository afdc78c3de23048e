/** The reference implementation: everything in a list, every question a plain loop. What the other engines must equal. */
import {
  type LabelInput,
  type Labels,
  labelsKey,
  labelsOfSet,
  matchLabels,
  type Matcher,
  mergeProfiles,
  type Profile,
  ProfileBuilder,
  type ValueType,
} from '@everflame/profile';
import { countFunctions } from './memory-function-counts.ts';
import { sortSeries } from './series-order.ts';
import {
  type AgentReport,
  type AppendResult,
  type Batch,
  type Entry,
  type FunctionCounts,
  type Mark,
  type Merged,
  type MergeQuery,
  type RangeSeries,
  type Selection,
  type SeriesFact,
  StorageError,
  type StorageReader,
  type StorageStatus,
  type StorageWriter,
  type TimeRange,
  type VersionFact,
} from './storage.ts';
import { versionFacts } from './version-facts.ts';

type Posted = Entry & { readonly timeMs: number; readonly endMs: number };

export class MemoryStorage implements StorageWriter, StorageReader {
  readonly #posted: Posted[] = [];
  readonly #batchIds = new Set<string>();
  readonly #agents = new Map<string, AgentReport>();
  readonly #marks = new Map<string, Mark>();

  append(batches: readonly Batch[]): Promise<readonly AppendResult[]> {
    const results: AppendResult[] = [];
    for (const { batchId, agent, entries } of batches) {
      if (agent !== null) this.#agents.set(agent.id, agent);
      const id = String(batchId);
      const repeated = batchId !== null && this.#batchIds.has(id);
      results.push({ stored: repeated ? 0 : entries.length, repeated });
      if (repeated) continue;
      if (batchId !== null) this.#batchIds.add(id);
      for (const entry of entries) {
        const timeMs = Number(entry.profile.timeNanos / 1_000_000n);
        const durationMs = Math.max(0, Number(entry.profile.durationNanos / 1_000_000n));
        this.#posted.push({ ...entry, timeMs, endMs: timeMs + durationMs });
      }
    }
    return Promise.resolve(results);
  }

  mark(mark: Mark): Promise<void> {
    this.#marks.set(JSON.stringify(mark), mark);
    return Promise.resolve();
  }

  marks(): Promise<readonly Mark[]> {
    return Promise.resolve([...this.#marks.values()].sort((a, b) => a.atMs - b.atMs));
  }

  series(range: TimeRange, matchers: readonly Matcher[]): Promise<readonly SeriesFact[]> {
    const facts = new Map<string, SeriesFact>();
    for (const { name, labels, profile } of this.#within(range)) {
      if (!labelSetsOf(profile).some((own) => matchLabels(matchers, { ...own, ...labels }))) continue;
      const { sampleTypes, defaultSampleType, periodType } = profile;
      const key = JSON.stringify([name, labelsKey(labels), sampleTypes, defaultSampleType, periodType]);
      facts.set(key, { name, labels, sampleTypes, defaultSampleType, periodType });
    }
    return Promise.resolve(sortSeries([...facts.values()]));
  }

  sampleLabelNames(range: TimeRange): Promise<readonly string[]> {
    const sets = this.#within(range).flatMap(({ profile }) => labelSetsOf(profile));
    return Promise.resolve([...new Set(sets.flatMap((own) => Object.keys(own)))].sort());
  }

  sampleLabelValues(range: TimeRange, name: string): Promise<readonly string[]> {
    const sets = this.#within(range).flatMap(({ profile }) => labelSetsOf(profile));
    return Promise.resolve([...new Set(sets.flatMap((own) => own[name] ?? []))].sort());
  }

  merge(query: MergeQuery): Promise<Merged> {
    const parts = this.#select(query).flatMap(({ profile, labels }) => relabel(profile, labels, query) ?? []);
    const shapes = new Set(parts.map(({ sampleTypes }) => JSON.stringify(sampleTypes)));
    const asked = (profile: Profile) => typeIndex(profile, query.sampleType);
    const alike = shapes.size > 1 ? parts.map((part) => onlyType(part, asked(part))) : parts;
    if (alike.length === 0) {
      const empty = new ProfileBuilder({ sampleTypes: [query.sampleType], periodType: query.periodType }).build();
      return Promise.resolve({ profile: empty, typeIndex: 0, profiles: 0 });
    }
    // One profile alone is as it was posted, whatever two of its mappings have in common.
    const merged = mergeProfiles(alike, { keepsMappings: alike.length === 1 });
    if (merged.ok) {
      return Promise.resolve({ profile: merged.profile, typeIndex: asked(merged.profile), profiles: parts.length });
    }
    if (merged.error.code !== 'overflow') return Promise.reject(new Error(merged.error.message));
    return Promise.reject(new StorageError('sum_overflow', merged.error.message));
  }

  range(selection: Selection, stepMs: number, by: readonly string[]): Promise<readonly RangeSeries[]> {
    const series = new Map<string, { labels: Labels; steps: Map<number, { value: bigint; samples: number }> }>();
    for (const { profile, labels, timeMs } of this.#select(selection)) {
      const own = labelSetsOf(profile);
      const type = typeIndex(profile, selection.sampleType);
      // A profile without samples is a step with nothing in it.
      for (let i = profile.samples.length === 0 ? -1 : 0; i < profile.samples.length; i++) {
        const all = { ...own[profile.samples.labelSet[i] ?? 0], ...labels };
        if (!matchLabels(selection.matchers, all)) continue;
        const key = Object.fromEntries(by.flatMap((name) => (all[name] ? [[name, all[name]]] : [])));
        const line = series.get(labelsKey(key)) ?? { labels: key, steps: new Map() };
        series.set(labelsKey(key), line);
        const start = Math.floor(timeMs / stepMs) * stepMs;
        const step = line.steps.get(start) ?? { value: 0n, samples: 0 };
        step.value += profile.samples.values[i * profile.sampleTypes.length + type] ?? 0n;
        step.samples += profile.samples.count[i] ?? 0;
        line.steps.set(start, step);
      }
    }
    const lines = [...series.values()].map(({ labels, steps }) => {
      const entries = [...steps].sort(([a], [b]) => a - b);
      const values = entries.map(([, { value }]) => value);
      return { labels, times: entries.map(([time]) => time), values, samples: entries.map(([, one]) => one.samples) };
    });
    const overflows = lines.some(({ values }) => values.some((value) => value !== BigInt.asIntN(64, value)));
    if (overflows) return Promise.reject(new StorageError('sum_overflow', 'the sum of a step leaves int64'));
    return Promise.resolve(lines);
  }

  functionCounts(selection: Selection, stepMs: number, by: readonly string[]): Promise<FunctionCounts> {
    const parts = this.#select(selection).map(({ profile, labels, timeMs }) => {
      const isWanted = labelSetsOf(profile).map((own) => matchLabels(selection.matchers, { ...own, ...labels }));
      const step = Number.isFinite(stepMs) ? Math.floor(timeMs / stepMs) * stepMs : selection.fromMs;
      return { profile, labels, step, type: typeIndex(profile, selection.sampleType), isWanted };
    });
    return Promise.resolve().then(() => countFunctions(parts, by));
  }

  versions(): Promise<readonly VersionFact[]> {
    const spans = this.#posted.map(({ labels, timeMs, endMs, profile }) => ({
      labels,
      firstMs: timeMs,
      lastMs: endMs,
      samples: profile.samples.count.reduce((sum, count) => sum + count, 0),
    }));
    return Promise.resolve(versionFacts(spans));
  }

  status(): Promise<StorageStatus> {
    return Promise.resolve({
      profiles: this.#posted.length,
      series: new Set(this.#posted.map(({ name, labels }) => JSON.stringify([name, labelsKey(labels)]))).size,
      bytes: 0,
      oldestMs: this.#posted.length === 0 ? null : Math.min(...this.#posted.map(({ timeMs }) => timeMs)),
      newestMs: this.#posted.length === 0 ? null : Math.max(...this.#posted.map(({ endMs }) => endMs)),
      deleted: [],
      damaged: [],
      agents: [...this.#agents.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #within({ fromMs, untilMs }: TimeRange): Posted[] {
    const within = this.#posted.filter(({ timeMs }) => timeMs >= fromMs && timeMs < untilMs);
    return within.sort((a, b) => Number(a.profile.timeNanos - b.profile.timeNanos));
  }

  #select(query: Selection): Posted[] {
    return this.#within(query).filter(
      ({ name, profile, labels }) =>
        name === query.name &&
        sameType(profile.periodType, query.periodType) &&
        typeIndex(profile, query.sampleType) >= 0 &&
        labelSetsOf(profile).some((own) => matchLabels(query.matchers, { ...own, ...labels })),
    );
  }
}

const sameType = (a: ValueType, b: ValueType) => a.type === b.type && a.unit === b.unit;
const typeIndex = (profile: Profile, wanted: ValueType) =>
  profile.sampleTypes.findIndex((type) => sameType(type, wanted));

function labelInputs({ labelSets, strings }: Profile, set: number): LabelInput[] {
  const labels: LabelInput[] = [];
  for (let row = labelSets.offset[set] ?? 0; row < (labelSets.offset[set + 1] ?? 0); row++) {
    const text = (column: Uint32Array) => strings[column[row] ?? 0] ?? '';
    const number = labelSets.number[row] ?? 0n;
    labels.push({
      key: text(labelSets.keyString),
      text: text(labelSets.textString),
      number,
      unit: text(labelSets.unitString),
    });
  }
  return labels;
}

/** The labels of each label set that a sample has, by its number; of a profile without samples the empty one. */
function labelSetsOf(profile: Profile): Labels[] {
  const used = profile.samples.length === 0 ? [0] : [...profile.samples.labelSet];
  const sets: Labels[] = [];
  for (const set of used) sets[set] ??= labelsOfSet(profile, set);
  return sets;
}

/** The samples of a profile that the query wants, with the labels that it wants; null when there is none. */
function relabel(profile: Profile, labels: Labels, query: MergeQuery): Profile | null {
  const strings = [...profile.strings];
  const rows = {
    offset: [0, 0],
    key: [] as number[],
    text: [] as number[],
    number: [] as bigint[],
    unit: [] as number[],
  };
  const setOf = labelSetsOf(profile).map((own, set) => {
    const all = { ...own, ...labels };
    if (!matchLabels(query.matchers, all)) return null;
    const named = (names: readonly string[]): LabelInput[] =>
      names.flatMap((key) => (all[key] ? [{ key, text: all[key] }] : []));
    for (const label of query.labels === 'own' ? labelInputs(profile, set) : named(query.labels)) {
      rows.key.push(strings.push(label.key) - 1);
      rows.text.push(label.text ? strings.push(label.text) - 1 : 0);
      rows.number.push(BigInt(label.number ?? 0));
      rows.unit.push(label.unit ? strings.push(label.unit) - 1 : 0);
    }
    return rows.offset.push(rows.key.length) - 2;
  });
  const { samples, sampleTypes } = profile;
  const wanted = [...samples.stack.keys()].filter((i) => (setOf[samples.labelSet[i] ?? 0] ?? null) !== null);
  if (wanted.length === 0 && setOf.every((set) => set === null)) return null;
  const values = wanted.flatMap((i) => sampleTypes.map((_, t) => samples.values[i * sampleTypes.length + t] ?? 0n));
  return {
    ...profile,
    strings,
    labelSets: {
      length: rows.offset.length - 1,
      offset: Uint32Array.from(rows.offset),
      keyString: Uint32Array.from(rows.key),
      textString: Uint32Array.from(rows.text),
      number: BigInt64Array.from(rows.number),
      unitString: Uint32Array.from(rows.unit),
    },
    samples: {
      length: wanted.length,
      stack: Uint32Array.from(wanted, (i) => samples.stack[i] ?? 0),
      labelSet: Uint32Array.from(wanted, (i) => setOf[samples.labelSet[i] ?? 0] ?? 0),
      values: BigInt64Array.from(values),
      count: Float64Array.from(wanted, (i) => samples.count[i] ?? 0),
    },
  };
}

/** The profile with one of its sample types. */
function onlyType(profile: Profile, type: number): Profile {
  const { samples, sampleTypes } = profile;
  const values = samples.values.filter((_, i) => i % sampleTypes.length === type);
  return { ...profile, sampleTypes: sampleTypes.slice(type, type + 1), samples: { ...samples, values } };
}
