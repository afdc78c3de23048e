import type { BlockFileWriter, SectionRef } from '../block/block-file.ts';
import { ByteWriter } from '../bytes.ts';
import type { Dictionary } from '../dictionary.ts';
import type { ProfileRow } from '../part.ts';
import type { Vector } from '../vector-scratch.ts';
import { CountsLevel } from './counts-level.ts';
import { writeCountsRow } from './counts-row.ts';
import { dayMs, hourMs, minuteMs, type WrittenDay, type WrittenHour, writeSpan, writeSpans } from './counts-spans.ts';
import { type FunctionColumns, FunctionSums } from './function-sums.ts';
import { StackFunctions } from './stack-functions.ts';
import { StackSums } from './stack-sums.ts';

/**
 * Measured on the load generator: a function in a row takes 1.3 bytes, a row of samples in a vector 3 to 4. So minutes add at
 * most 0.65 bytes a sample, hours and days 0.3 each and far less where they stand for many profiles.
 */
const rules = [
  { stepMs: minuteMs, minProfiles: 4, rowsPerFunction: 2 },
  { stepMs: hourMs, minProfiles: 16, rowsPerFunction: 4 },
  { stepMs: dayMs, minProfiles: 16, rowsPerFunction: 4 },
] as const;

/** Makes the counts that a block keeps for one group, from its profiles in order of series and time. */
export class CountsWriter {
  readonly #file: BlockFileWriter;
  readonly #dictionary: Dictionary;
  readonly #leaves: Uint32Array;
  /** By rank, from 1; before it 0. */
  #functions: Uint32Array = new Uint32Array(1);
  #isStarted = false;
  readonly #minute = new CountsLevel(rules[0]);
  readonly #hour = new CountsLevel(rules[1]);
  readonly #day = new CountsLevel(rules[2]);
  readonly #series: (readonly WrittenDay[])[] = [];
  readonly #row = new ByteWriter();
  /** The minutes of the hour at hand. */
  readonly #minutes = new ByteWriter();
  #hasMinutes = false;
  #lastMinuteMs = 0;
  #hours: WrittenHour[] = [];
  #days: WrittenDay[] = [];

  /** `leaves`: the stack of each number in the vectors that will come. */
  constructor(file: BlockFileWriter, dictionary: Dictionary, leaves: Uint32Array) {
    this.#file = file;
    this.#dictionary = dictionary;
    this.#leaves = leaves;
  }

  /** All profiles of the next series, in the order in which they will be added. */
  beginSeries(rows: readonly ProfileRow[]): void {
    this.#minute.expect(rows, null);
    this.#hour.expect(rows, this.#minute);
    this.#day.expect(rows, this.#hour);
    if (!this.#isStarted && this.#day.hasWork()) this.#start();
  }

  /** `header`: number of its header in the group. Vectors name leaves. */
  add(vector: Vector, row: ProfileRow, header: number): void {
    this.#endSteps(row.timeMs);
    this.#minute.addFacts(row, header, vector.rows);
    for (const level of [this.#minute, this.#hour, this.#day]) {
      if (!level.isWorthwhile(row.timeMs)) continue;
      level.addSamples(vector, row.header, this.#leaves);
      return;
    }
  }

  endSeries(): void {
    this.#endSteps(Infinity);
    this.#series.push(this.#days);
    this.#days = [];
  }

  finish(): SectionRef {
    this.#row.length = 0;
    writeSpans(this.#functions.subarray(1), this.#series, this.#row);
    return this.#file.section(this.#row.take());
  }

  #start(): void {
    this.#isStarted = true;
    const stacks = new StackFunctions(this.#dictionary);
    this.#functions = byStacks(stacks, this.#leaves);
    stacks.renumber(this.#functions);
    for (const level of [this.#minute, this.#hour, this.#day]) level.start(stacks, this.#functions.length - 1);
  }

  #endSteps(timeMs: number): void {
    if (this.#minute.isOver(timeMs)) this.#endMinute();
    if (this.#hour.isOver(timeMs)) this.#endHour();
    if (this.#day.isOver(timeMs)) this.#endDay();
  }

  #endMinute(): void {
    const minute = this.#minute;
    const columns = this.#take(minute);
    const isKept = columns !== null && this.#writeRow(minute, columns);
    if (this.#hour.parts === 0) {
      this.#minutes.length = 0;
      this.#hasMinutes = false;
      this.#lastMinuteMs = minute.firstMs;
    }
    writeSpan(minute, this.#lastMinuteMs, this.#minutes);
    this.#lastMinuteMs = minute.firstMs;
    this.#minutes.varint(isKept ? this.#row.length : 0);
    if (isKept) {
      this.#minutes.raw(this.#row.take());
      this.#hasMinutes = true;
    }
    this.#hour.addPart(minute, columns);
    minute.reset();
  }

  #endHour(): void {
    const hour = this.#hour;
    const columns = this.#take(hour);
    // Of one minute alone it is the same.
    const isNews = hour.parts > 1 || !this.#hasMinutes;
    const row =
      isNews && columns !== null && this.#writeRow(hour, columns) ? this.#file.section(this.#row.take()) : null;
    let minutes: SectionRef | null = null;
    if (this.#hasMinutes) {
      this.#row.length = 0;
      this.#row.varint(hour.parts);
      this.#row.raw(this.#minutes.take());
      minutes = this.#file.section(this.#row.take());
    }
    this.#hours.push({ firstMs: hour.firstMs, lastMs: hour.lastMs, row, minutes });
    this.#day.addPart(hour, columns);
    hour.reset();
  }

  #endDay(): void {
    const day = this.#day;
    const columns = this.#take(day);
    const only = this.#hours.length === 1 ? this.#hours[0] : undefined;
    const isNews = (only?.row ?? null) === null && (only?.minutes ?? null) === null;
    const row =
      isNews && columns !== null && this.#writeRow(day, columns) ? this.#file.section(this.#row.take()) : null;
    this.#days.push({ firstMs: day.firstMs, lastMs: day.lastMs, row, hours: this.#hours });
    this.#hours = [];
    day.reset();
  }

  /** Null when samples go to a longer step. */
  #take(level: CountsLevel): FunctionColumns | null {
    return level.isWorthwhile(level.firstMs) ? level.take() : null;
  }

  /** False when the row is not kept. */
  #writeRow(level: CountsLevel, columns: FunctionColumns): boolean {
    this.#row.length = 0;
    return level.isToKeep(columns) && writeCountsRow(level, columns, this.#row);
  }
}

/** The distinct functions of the leaves' stacks, those in most of them first, behind a 0. */
function byStacks(stacks: StackFunctions, leaves: Uint32Array): Uint32Array {
  const counts = new StackSums(stacks);
  for (const stack of leaves) counts.add(stack, 1);
  const sums = new FunctionSums(stacks.distinct.length);
  counts.moveTo(sums);
  const { length, ids, inclusive } = sums.take();
  const order = Uint32Array.from({ length }, (_, i) => i);
  order.sort((a, b) => (inclusive[b] ?? 0) - (inclusive[a] ?? 0) || a - b);
  const functions = new Uint32Array(length + 1);
  for (let i = 0; i < length; i++) functions[i + 1] = ids[order[i] ?? 0] ?? 0;
  return functions;
}
