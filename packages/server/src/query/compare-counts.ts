import {
  chooseUnits,
  CountsBuilder,
  countsOfProfile,
  type FunctionTable,
  NO_FUNCTION,
  type SampleOrigin,
  type SideCounts,
  type UnitKind,
} from '@everflame/compare';
import { discard, labelText, type Labels, type Profile } from '@everflame/profile';
import { Refused } from '../problem.ts';
import type { CountColumn } from '../storage/count-column.ts';
import type { FunctionCounts, StorageReader, TimeRange } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { mergeChoice } from './merged.ts';
import type { Choice } from './profile-choice.ts';

/** What stands for a unit on both sides, and how its samples are told apart. */
export interface Units {
  readonly kind: UnitKind;
  readonly hosts: number;
  /** Length of a time block; Infinity for the other kinds. */
  readonly stepMs: number;
}

/** A side's samples by unit and function, once all functions are known. */
export interface CountedSide {
  readonly profiles: number;
  /** Sum of the asked sample type. */
  readonly value: bigint;
  readonly samples: number;
  /** Adds the inclusive samples by function id, up to the length of `inclusive`. */
  readonly addTo: (inclusive: Float64Array) => void;
  readonly units: ReadonlySet<string>;
  /** Builds the table, each function at its place (`placesOf`), of all units or of `only` some; every side of a comparison has the same functions. */
  readonly finish: (version: string, places: Uint32Array, more?: FinishOptions) => SideCounts;
  /** After the last `finish` and `addTo`: gives the counts back, 24 MB of 200 hosts with 5,000 functions each. */
  readonly discard: () => void;
}

export interface FinishOptions {
  readonly only?: ReadonlySet<string>;
  /** Requests by unit. A unit that it lacks is refused: 422 `no_requests`. */
  readonly requests?: ReadonlyMap<string, number> | null;
}

/** Labels of series that tell instances apart: a pod or a container, else what runs on a host. */
const originLabels = ['host_name', 'k8s_pod_name', 'container_id'] as const;
/** Blocks of time: a minute, or longer ones so that a side has at most so many. */
const minuteMs = 60_000;
const maxBlocks = 120;
/** More processes than this come and go; none of them is a unit. */
const maxProcesses = 256;

/** Hosts, else pods or containers, else processes, else blocks of time: the coarsest kind that both sides tell apart. */
export async function unitsOf(storage: StorageReader, before: Choice, after: Choice, check: Check): Promise<Units> {
  const origins = await Promise.all([before, after].map((choice) => originsOf(storage, choice)));
  const chosen = chooseUnits(origins[0] ?? [], origins[1] ?? []);
  if (chosen.kind !== 'block') return { kind: chosen.kind, hosts: chosen.hosts, stepMs: Number.POSITIVE_INFINITY };
  const both = [await processesOf(storage, before, check), await processesOf(storage, after, check)];
  if (both.every((counts) => counts.length <= maxProcesses && effectiveNumber(counts) >= 2))
    return { kind: 'process', hosts: chosen.hosts, stepMs: Number.POSITIVE_INFINITY };
  const spanMs = Math.max(...[before, after].map(({ selection }) => selection.untilMs - selection.fromMs));
  return { kind: 'block', hosts: chosen.hosts, stepMs: Math.ceil(spanMs / maxBlocks / minuteMs) * minuteMs };
}

/** Counts the samples of a range; names of functions go into `table`. */
export async function countSide(
  storage: StorageReader,
  choice: Choice,
  units: Units,
  table: FunctionTable,
  check: Check,
): Promise<CountedSide> {
  check();
  const parts =
    units.kind === 'process'
      ? await processParts(storage, choice, table, check)
      : partsOf(await storage.functionCounts({ ...choice.selection, check }, units.stepMs, originLabels), table);
  check();
  const value = parts.reduce((sum, part) => sum + part.value, 0n);
  const samples = parts.reduce((sum, part) => sum + part.samples, 0);
  const isTime = choice.profileType.sampleUnit === 'nanoseconds';
  const secondsPerSample = isTime && value > 0n && samples > 0 ? Number(value) / samples / 1e9 : 1;
  const longest = Math.min(units.stepMs, choice.selection.untilMs - choice.selection.fromMs) / 1000;
  return {
    value,
    samples,
    profiles: parts.reduce((sum, part) => sum + part.profiles, 0),
    addTo: (sums) => {
      for (const { functions, ids, inclusive } of parts)
        for (let i = 0; i < functions.length; i++) {
          const number = functions[i] ?? 0;
          const id = ids === null ? number : (ids[number] ?? NO_FUNCTION);
          if (id < sums.length) sums[id] = (sums[id] ?? 0) + (inclusive[i] ?? 0);
        }
    },
    units: new Set(parts.map((part) => unitName(units.kind, part))),
    finish: (version, places, { only, requests = null } = {}) => {
      const builder = new CountsBuilder(version, places.length, secondsPerSample);
      const left = new Map(requests ?? []);
      // Parts of one answer share their numbers.
      const known = new Map<Uint32Array | null, Uint32Array>();
      for (const part of parts) {
        const { seconds, ids, ...counts } = part;
        // Series of one instance (its programs) are watched at the same time.
        const unit = unitName(units.kind, part);
        if (only?.has(unit) === false) continue;
        const placed = known.get(ids) ?? (ids === null ? places : ids.map((id) => places[id] ?? NO_FUNCTION));
        known.set(ids, placed);
        const counted = requests === null ? null : left.get(unit);
        if (counted === undefined)
          throw new Refused(
            422,
            'no_requests',
            `nobody says how many requests ${unit} served: name every ${units.kind}`,
          );
        // All of a unit's with its first part.
        if (counted !== null) left.set(unit, 0);
        builder.add(unit, { ...counts, seconds: isTime ? Math.min(seconds, longest) : 0, requests: counted }, placed);
      }
      return builder.finish();
    },
    discard: () => {
      for (const { functions, self, inclusive } of parts.splice(0)) discard(functions, self, inclusive);
    },
  };
}

interface Part {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly profiles: number;
  readonly value: bigint;
  readonly samples: number;
  /** Of all profiles behind it. */
  readonly seconds: number;
  /** Numbers of functions: ids of the comparison's table, or positions in `ids`. */
  readonly functions: Uint32Array;
  readonly ids: Uint32Array | null;
  readonly self: CountColumn;
  readonly inclusive: CountColumn;
}

function partsOf({ functions, rows }: FunctionCounts, table: FunctionTable): Part[] {
  const ids = Uint32Array.from(functions.name, (name, id) => table.idOf(name, functions.file[id] ?? ''));
  return rows.map(({ labels, timeMs, profiles, value, samples, durationNanos, self, inclusive, ...row }) => ({
    labels,
    timeMs,
    profiles,
    value,
    samples,
    seconds: Number(durationNanos) / 1e9,
    functions: row.function,
    ids,
    self,
    inclusive,
  }));
}

/** Labels that merged samples must carry for `unitOf` to tell their units; null where only time tells them. */
export function labelsOfUnits({ kind }: Units): readonly string[] | null {
  return kind === 'block' ? null : kind === 'process' ? processLabels : originLabels;
}

/** The unit of a label set of samples merged by `labelsOfUnits`. */
export function unitOf(units: Units, profile: Profile, set: number): string {
  const names = labelsOfUnits(units) ?? [];
  const labels = Object.fromEntries(names.flatMap((name) => [[name, labelText(profile, set, name)] as const]));
  const known = Object.fromEntries(
    Object.entries(labels).filter((one): one is [string, string] => one[1] !== undefined),
  );
  return unitName(units.kind, { labels: known, timeMs: 0 });
}

const processLabels = ['host_name', 'process_pid'] as const;

/** Processes are told apart by labels of samples, so that stacks have to be merged. How long each lived is not known: no seconds. */
async function processParts(
  storage: StorageReader,
  choice: Choice,
  table: FunctionTable,
  check: Check,
): Promise<Part[]> {
  const { profile, typeIndex, profiles } = await mergeChoice(storage, choice, processLabels, check);
  const labelsOf = (set: number): string =>
    JSON.stringify(processLabels.map((name) => labelText(profile, set, name) ?? ''));
  const groups = countsOfProfile(profile, typeIndex, table, labelsOf);
  return [...groups].map(([key, group], i) => {
    const [host_name = '', process_pid = ''] = JSON.parse(key) as string[];
    // Each profile may have a part in several processes: they are counted once, with the first.
    return {
      ...group,
      ids: null,
      labels: { host_name, process_pid },
      timeMs: 0,
      profiles: i === 0 ? profiles : 0,
      seconds: 0,
    };
  });
}

function unitName(kind: UnitKind, { labels, timeMs }: Pick<Part, 'labels' | 'timeMs'>): string {
  switch (kind) {
    case 'host':
      return labels['host_name'] ?? '';
    case 'pod':
      return podOf(labels) ?? '';
    case 'process':
      return `${labels['host_name'] ?? ''} ${labels['process_pid'] ?? ''}`;
    case 'block':
      return new Date(timeMs).toISOString();
    case 'file':
      throw new Error('a store has no files');
  }
}

async function originsOf(storage: StorageReader, { selection }: Choice): Promise<SampleOrigin[]> {
  const facts = await storage.series(selection, selection.matchers);
  return facts
    .filter(({ name }) => name === selection.name)
    .map(({ labels }) => ({ host: labels['host_name'] ?? null, pod: podOf(labels), process: null }));
}

function podOf(labels: Labels): string | null {
  return labels['k8s_pod_name'] ?? labels['container_id'] ?? null;
}

/** Samples of each process; empty when there are too many, or when one is not named. */
async function processesOf(storage: StorageReader, choice: Choice, check: Check): Promise<readonly number[]> {
  check();
  const lines = await storage.range({ ...choice.selection, check }, wholeRange(choice.selection), processLabels);
  check();
  if (lines.some(({ labels }) => !labels['process_pid'])) return [];
  return lines.map(({ samples }) => samples.reduce((sum, count) => sum + count, 0));
}

/** A step that holds all of the range, whatever multiple of it the range begins in. */
function wholeRange({ untilMs }: TimeRange): number {
  return untilMs;
}

/** How many equal ones vary like these: a helper that runs now and then is no second process. */
function effectiveNumber(counts: readonly number[]): number {
  const sum = counts.reduce((all, count) => all + count, 0);
  const squares = counts.reduce((all, count) => all + count * count, 0);
  return squares > 0 ? (sum * sum) / squares : 0;
}
