/**
 * What the server needs from a store. Two halves, since they run in different threads: one writer, several readers.
 * Engines: `memory.ts` (the reference that the property tests believe) and `embedded/`.
 */
import type { CountColumn } from './count-column.ts';
import type { DiffTree, Labels, LimitedTree, Matcher, Profile, Tree, ValueType } from '@everflame/profile';

/** One profile to be stored. `labels` are the series labels without `__name__`, which is `name`. An engine may take profiles in other forms, too. */
export interface Entry<Form = Profile> {
  readonly name: string;
  readonly labels: Labels;
  /** Its `timeNanos` is set ("not said" is resolved before it comes here), and each of its sample types sums within int64. */
  readonly profile: Form;
}

/** What an agent says about itself with each batch. */
export interface AgentReport {
  readonly id: string;
  readonly hostName: string;
  readonly version: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly startedMs: number;
  readonly lastSeenMs: number;
  /** Totals since the agent's start; `total` is a decimal uint64. */
  readonly counters: readonly AgentCounter[];
}

export interface AgentCounter {
  readonly name: string;
  readonly cause: string;
  readonly total: string;
}

/** Stored whole or not at all. */
export interface Batch<Form = Profile> {
  /** A batch whose id is stored already is not stored again. Without an id each batch is new. */
  readonly batchId: Uint8Array | null;
  readonly entries: readonly Entry<Form>[];
  readonly agent: AgentReport | null;
  readonly receivedMs: number;
}

export interface AppendResult {
  /** Profiles stored by this call. */
  readonly stored: number;
  /** The batch had been stored before. */
  readonly repeated: boolean;
}

/** A deployment marked by hand or by CI. */
export interface Mark {
  readonly service: string;
  readonly version: string;
  readonly environment: string;
  readonly atMs: number;
  readonly commit: string;
  readonly url: string;
}

export interface StorageWriter {
  /**
   * Stores batches in one commit, resolves when all of them are durable, and answers one result per batch.
   *
   * @throws StorageError `unavailable` when the disk refuses; then none of them is stored.
   */
  append(batches: readonly Batch[]): Promise<readonly AppendResult[]>;
  /** Durable when resolved. The same mark twice is one. */
  mark(mark: Mark): Promise<void>;
  close(): Promise<void>;
}

/** Half-open: a profile belongs to `[fromMs, untilMs)` by its `timeNanos`. */
export interface TimeRange {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A set of labels with the shape of the profiles posted under it: several profile types where there are several sample types. */
export interface SeriesFact {
  readonly name: string;
  readonly labels: Labels;
  readonly sampleTypes: readonly ValueType[];
  readonly defaultSampleType: string;
  readonly periodType: ValueType;
}

/** Which samples: one profile type, and matchers on the labels of series and sample together (the series wins). */
export interface Selection extends TimeRange {
  readonly name: string;
  readonly sampleType: ValueType;
  readonly periodType: ValueType;
  readonly matchers: readonly Matcher[];
  /** Called between two pieces of work; what it throws ends the question. */
  readonly check?: () => void;
}

export interface MergeQuery extends Selection {
  /**
   * Which labels the merged samples carry: `own`, those that they were posted with; or the named ones alone, with the
   * series' value where the series has that label. Fewer labels, fewer rows.
   */
  readonly labels: 'own' | readonly string[];
}

export interface Merged {
  /**
   * Every sample type that the merged profiles share, in their order; only the asked one where they differ in shape or
   * where nothing was found.
   */
  readonly profile: Profile;
  /** The asked sample type in `profile.sampleTypes`. */
  readonly typeIndex: number;
  /** How many stored profiles have a part in it. */
  readonly profiles: number;
}

/** What `buildTree` makes of a merged profile, or `limitTree` of that. */
export interface MergedTree {
  readonly tree: Tree | LimitedTree;
  /** How many stored profiles have a part in it. */
  readonly profiles: number;
}

/** What `diffTrees` makes of two trees. */
export interface MergedDiff {
  readonly tree: DiffTree;
  /** How many stored profiles have a part in each side. */
  readonly profiles: { readonly before: number; readonly after: number };
}

/** One line of `range`: a step without a profile is left out. */
export interface RangeSeries {
  /** The labels asked for by `by`, absent ones left out. */
  readonly labels: Labels;
  /** Start of the step, Unix ms, a multiple of `stepMs`, ascending. */
  readonly times: readonly number[];
  readonly values: readonly bigint[];
  readonly samples: readonly number[];
}

/** Sample counts by function: one row per label group and step. */
export interface FunctionCounts {
  /**
   * Every function that occurs, each (name, file) once; ids are positions. `system` is the mangled name; where several
   * functions share name and file, that of one of them. A function without a name is none.
   */
  readonly functions: {
    readonly name: readonly string[];
    readonly system: readonly string[];
    readonly file: readonly string[];
  };
  readonly rows: readonly CountsRow[];
  /** Set when profiles among them name frames that views leave out (`dropFrames`): these are counted here all the same. */
  readonly dropsFrames?: true;
}

export interface CountsRow {
  /** Those asked for by `by`, absent ones left out. */
  readonly labels: Labels;
  /** Start of the step, Unix ms, a multiple of stepMs (the step is at least a minute). With the step Infinity: `fromMs`. */
  readonly timeMs: number;
  /**
   * All samples, those without a function included; and their value in the asked sample type. As in a merged profile, a
   * sample whose values are all 0 is none.
   */
  readonly samples: number;
  readonly value: bigint;
  /**
   * The value of each sample divided by its count, where that is one whole number and no value leaves 2^53: it is the same
   * for functions, then.
   */
  readonly valuePerSample?: bigint;
  /** Sum of the durations of the profiles behind it, nanoseconds. */
  readonly durationNanos: bigint;
  /** Profiles behind it. */
  readonly profiles: number;
  /**
   * Ascending ids; the three columns have equal length. Samples, not values; a function counts once per sample however deep
   * it recurses. `self`: samples whose innermost frame is the function. Functions with neither are left out.
   */
  readonly function: Uint32Array;
  readonly self: CountColumn;
  readonly inclusive: CountColumn;
}

/** What a version did on one host. */
export interface HostFact {
  readonly host: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
}

/** One service version as the stored profiles show it. */
export interface VersionFact {
  readonly service: string;
  readonly version: string;
  readonly environment: string;
  /** Sorted; those of `perHost`. */
  readonly hosts: readonly string[];
  readonly perHost: readonly HostFact[];
  /** Values of the label `service_version_source`, sorted; '' where a series has none. */
  readonly sources: readonly string[];
  /** Different hosts, pods and containers. */
  readonly instances: number;
  /** Start of the first profile, end of the last, Unix ms. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
}

/** What retention has deleted since the store was made, by cause. */
export interface DeletedFact {
  /** `selector`: older than what was asked for its selector. */
  readonly cause: 'age' | 'selector' | 'size';
  readonly profiles: number;
  readonly samples: number;
  readonly bytes: number;
  /** End of the newest profile among them, Unix ms. */
  readonly untilMs: number;
}

/** A part of the store that cannot be read. Answers are given without it. */
export interface DamagedPart {
  readonly file: string;
  readonly reason: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly profiles: number;
}

export interface StorageStatus {
  readonly profiles: number;
  /** Label sets with a name. */
  readonly series: number;
  /** On disk, or an estimate of nothing better. */
  readonly bytes: number;
  readonly oldestMs: number | null;
  readonly newestMs: number | null;
  readonly deleted: readonly DeletedFact[];
  readonly damaged: readonly DamagedPart[];
  readonly agents: readonly AgentReport[];
}

export interface StorageReader {
  /** Series with a sample in the range that satisfies the matchers; in order of name, then labels, then sample types. */
  series(range: TimeRange, matchers: readonly Matcher[]): Promise<readonly SeriesFact[]>;
  /** Labels of samples in the range: sorted names. */
  sampleLabelNames(range: TimeRange): Promise<readonly string[]>;
  /** Sorted values of one label of samples in the range, numbers in decimal. */
  sampleLabelValues(range: TimeRange, name: string): Promise<readonly string[]>;
  /** @throws StorageError `sum_overflow` */
  merge(query: MergeQuery): Promise<Merged>;
  /**
   * The tree of what `merge` would give without labels, without the profile in between; with `maxNodes` limited to these.
   * Null, or no such method: make it from `merge`. (Of functions whose name occurs with several files another may be shown.)
   */
  tree?(selection: Selection, maxNodes?: number): Promise<MergedTree | null>;
  /** The union of two such trees. Null, or no such method: make it from these. */
  diff?(before: Selection, after: Selection): Promise<MergedDiff | null>;
  /** @throws StorageError `sum_overflow` */
  range(selection: Selection, stepMs: number, by: readonly string[]): Promise<readonly RangeSeries[]>;
  /**
   * Samples by function, over time and by labels of series (`by`; labels of samples are not looked at there). The rows of a
   * group are in order of time; a step without a profile is left out. Needs no scan of stacks where the selection has only
   * series matchers. `stepMs` is a multiple of 60,000; Infinity: one row per group for the whole range.
   *
   * @throws StorageError `sum_overflow`
   */
  functionCounts(selection: Selection, stepMs: number, by: readonly string[]): Promise<FunctionCounts>;
  versions(): Promise<readonly VersionFact[]>;
  marks(): Promise<readonly Mark[]>;
  status(): Promise<StorageStatus>;
  close(): Promise<void>;
}

/**
 * `unavailable` the disk refuses (full, read-only, failing); `damaged` what is on disk is not what was written; `locked` another server has the directory; `newer_format` the
 * store was written by a newer Everflame; `sum_overflow` a sum leaves int64.
 */
export type StorageErrorCode = 'unavailable' | 'damaged' | 'locked' | 'newer_format' | 'sum_overflow';

export class StorageError extends Error {
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.code = code;
  }
}
