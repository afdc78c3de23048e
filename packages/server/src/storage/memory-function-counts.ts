import { type Labels, labelsKey, type Profile } from '@everflame/profile';
import { countColumn } from './count-column.ts';
import { type CountsRow, type FunctionCounts, StorageError } from './storage.ts';

export interface CountedProfile {
  readonly profile: Profile;
  readonly labels: Labels;
  /** Start of its step. */
  readonly step: number;
  /** The asked sample type. */
  readonly type: number;
  /** By label set. */
  readonly isWanted: readonly boolean[];
}

/** The reference of `StorageReader.functionCounts`: each sample is looked at by itself. */
export function countFunctions(parts: readonly CountedProfile[], by: readonly string[]): FunctionCounts {
  const table = new FunctionNames();
  const rows = new Map<string, Row>();
  for (const { profile, labels, step, type, isWanted } of parts) {
    const own = Object.fromEntries(
      by.flatMap((name) => (Object.hasOwn(labels, name) && labels[name] ? [[name, labels[name]]] : [])),
    );
    const key = JSON.stringify([labelsKey(own), step]);
    const row = rows.get(key) ?? new Row(own, step);
    rows.set(key, row);
    row.profiles++;
    row.durationNanos += profile.durationNanos;
    const { samples, sampleTypes } = profile;
    for (let i = 0; i < samples.length; i++) {
      const values = samples.values.subarray(i * sampleTypes.length, (i + 1) * sampleTypes.length);
      if (isWanted[samples.labelSet[i] ?? 0] !== true || values.every((value) => value === 0n)) continue;
      const frames = framesOf(profile, samples.stack[i] ?? 0).map((frame) => table.idOf(profile, frame));
      row.add(frames, samples.count[i] ?? 0, values[type] ?? 0n);
    }
  }
  const answers = [...rows.values()].sort((a, b) => a.timeMs - b.timeMs).map((row) => row.finish());
  if (answers.some(({ value }) => value !== BigInt.asIntN(64, value)))
    throw new StorageError('sum_overflow', 'the sum of a step leaves int64');
  const dropsFrames = parts.some(({ profile }) => profile.dropFrames !== '') ? ({ dropsFrames: true } as const) : {};
  return { functions: table, rows: answers, ...dropsFrames };
}

/** Functions of a stack, innermost first; 0 for a location or a line without one. */
function framesOf({ stacks, locations }: Profile, leaf: number): number[] {
  const frames: number[] = [];
  for (let stack = leaf; stack > 0; stack = stacks.parent[stack] ?? 0) {
    const location = stacks.location[stack] ?? 0;
    const lines = locations.lineFunction.subarray(locations.lineOffset[location], locations.lineOffset[location + 1]);
    frames.push(...(lines.length === 0 ? [0] : lines));
  }
  return frames;
}

class FunctionNames {
  readonly name: string[] = [];
  readonly system: string[] = [];
  readonly file: string[] = [];
  readonly #ids = new Map<string, number>();

  /** -1 for a function without a name. */
  idOf({ functions, strings }: Profile, row: number): number {
    const [name = '', file = '', system = ''] = [
      functions.nameString,
      functions.fileString,
      functions.systemNameString,
    ].map((column) => strings[column[row] ?? 0]);
    if (name === '') return -1;
    const key = JSON.stringify([name, file]);
    const id = this.#ids.get(key) ?? this.name.push(name) - 1;
    this.#ids.set(key, id);
    this.system[id] ??= system;
    this.file[id] ??= file;
    return id;
  }
}

class Row {
  readonly labels: Labels;
  readonly timeMs: number;
  durationNanos = 0n;
  profiles = 0;
  /** Null: a value that is none times its count. */
  readonly #perSample = new Set<bigint | null>();
  #samples = 0;
  #value = 0n;
  readonly #self = new Map<number, number>();
  readonly #inclusive = new Map<number, number>();

  constructor(labels: Labels, timeMs: number) {
    this.labels = labels;
    this.timeMs = timeMs;
  }

  add(frames: readonly number[], count: number, value: bigint): void {
    const isNothing = count === 0 && value === 0n;
    const perSample = count === 0 ? null : value / BigInt(count);
    const isExact = perSample !== null && perSample * BigInt(count) === value && Number.isSafeInteger(Number(value));
    if (!isNothing) this.#perSample.add(isExact ? perSample : null);
    this.#samples += count;
    this.#value += value;
    const leaf = frames[0] ?? -1;
    this.#self.set(leaf, (this.#self.get(leaf) ?? 0) + count);
    for (const id of new Set(frames)) this.#inclusive.set(id, (this.#inclusive.get(id) ?? 0) + count);
  }

  finish(): CountsRow {
    const self = (id: number) => this.#self.get(id) ?? 0;
    const inclusive = (id: number) => this.#inclusive.get(id) ?? 0;
    const ids = [...this.#inclusive.keys()].filter((id) => id >= 0 && (self(id) !== 0 || inclusive(id) !== 0));
    ids.sort((a, b) => a - b);
    const { labels, timeMs, durationNanos, profiles } = this;
    const [perSample = null, ...others] = this.#perSample;
    return {
      labels,
      timeMs,
      samples: this.#samples,
      value: this.#value,
      ...(perSample === null || others.length > 0 ? {} : { valuePerSample: perSample }),
      durationNanos,
      profiles,
      function: Uint32Array.from(ids),
      self: countColumn(Float64Array.from(ids, self)),
      inclusive: countColumn(Float64Array.from(ids, inclusive)),
    };
  }
}
