import { countTypeIndex, type Header } from '../header.ts';
import type { ProfileRow } from '../part.ts';
import { decodeTotals } from '../vector.ts';
import type { Vector } from '../vector-scratch.ts';
import type { CountsFacts } from './counts-row.ts';
import type { SpanTimes } from './counts-spans.ts';
import { type FunctionColumns, FunctionSums } from './function-sums.ts';
import { sampleCount } from './sample-count.ts';
import type { StackFunctions } from './stack-functions.ts';
import { StackSums } from './stack-sums.ts';

/** Fewer profiles are as quickly counted from their own samples. */
const minProfiles = 4;
/** A row is kept when the profiles behind it have so many rows of samples for each of its functions. */
const rowsPerFunction = 2;

interface StepFacts extends CountsFacts, SpanTimes {
  readonly headerNumber: number;
}

/** The profiles of one series within one step of one length, summed. */
export class CountsLevel implements StepFacts {
  profiles = 0;
  durationNanos = 0n;
  samples = 0;
  values: readonly bigint[] = [];
  headerNumber = 0;
  firstMs = 0;
  lastMs = 0;
  /** Steps of the level below that it has. */
  parts = 0;
  readonly #stepMs: number;
  readonly #stacks: StackSums;
  readonly #sums: FunctionSums;
  /** Profiles that are going to come, by start of the step. */
  readonly #expected = new Map<number, number>();
  #start = Number.NaN;
  #shape: Header | null = null;
  #vectorRows = 0;
  #isExact = true;

  /** Functions have numbers up to `functions`. */
  constructor(stepMs: number, stacks: StackFunctions, functions: number) {
    this.#stepMs = stepMs;
    this.#stacks = new StackSums(stacks);
    this.#sums = new FunctionSums(functions + 1);
  }

  expect(rows: readonly ProfileRow[]): void {
    this.#expected.clear();
    for (const { timeMs } of rows) {
      const start = this.#startOf(timeMs);
      this.#expected.set(start, (this.#expected.get(start) ?? 0) + 1);
    }
  }

  /** Whether what is there belongs to another step. */
  isOver(timeMs: number): boolean {
    return this.profiles > 0 && this.#startOf(timeMs) !== this.#start;
  }

  /** Whether so many profiles will come that a row may be kept. */
  isWorthwhile(timeMs: number): boolean {
    return (this.#expected.get(this.#startOf(timeMs)) ?? 0) >= minProfiles;
  }

  addFacts({ timeMs, header, durationNanos, totals }: ProfileRow, headerNumber: number, vectorRows: number): void {
    const { values } = decodeTotals(totals, header.sampleTypes.length);
    const facts = { profiles: 1, durationNanos, samples: 0, values, headerNumber, firstMs: timeMs, lastMs: timeMs };
    this.#addFacts(facts, header, vectorRows);
  }

  addSamples(vector: Vector, { sampleTypes }: Header, leaves: Uint32Array): void {
    const types = sampleTypes.length;
    const countType = countTypeIndex(sampleTypes);
    for (let i = 0; i < vector.rows; i++) {
      const count = sampleCount(vector, types, countType, i);
      // Of such numbers a sum in float64 may look right and be wrong.
      if (count < 0 || !Number.isSafeInteger(count)) this.#isExact = false;
      this.samples += count;
      this.#stacks.add(leaves[vector.stacks[i] ?? 0] ?? 0, count);
    }
  }

  /** Adds a step of the level below. `columns`: of all its samples, or null when they were added here. */
  addPart(part: CountsLevel, columns: FunctionColumns | null): void {
    if (part.#shape === null) return;
    this.parts++;
    this.#addFacts(part, part.#shape, part.#vectorRows);
    if (!part.#isExact) this.#isExact = false;
    if (columns === null) return;
    for (let i = 0; i < columns.length; i++) {
      const id = columns.ids[i] ?? 0;
      this.#sums.addInclusive(id, columns.inclusive[i] ?? 0);
      this.#sums.addSelf(id, columns.self[i] ?? 0);
    }
  }

  /** The functions of all samples that were added, which are gone then. */
  take(): FunctionColumns {
    this.#stacks.moveTo(this.#sums);
    return this.#sums.take();
  }

  /** Whether a row with these columns is true and worth its bytes. */
  isToKeep(columns: FunctionColumns): boolean {
    return this.#isExact && columns.length * rowsPerFunction <= this.#vectorRows;
  }

  reset(): void {
    this.profiles = 0;
    this.durationNanos = 0n;
    this.samples = 0;
    this.values = [];
    this.parts = 0;
    this.#shape = null;
    this.#vectorRows = 0;
    this.#isExact = true;
  }

  #addFacts(facts: StepFacts, shape: Header, vectorRows: number): void {
    if (this.#shape === null) {
      this.#shape = shape;
      this.#start = this.#startOf(facts.firstMs);
      this.headerNumber = facts.headerNumber;
      this.firstMs = facts.firstMs;
      this.values = [...facts.values];
    } else {
      if (!isSameShape(this.#shape, shape)) this.#isExact = false;
      this.values = this.values.map((value, t) => value + (facts.values[t] ?? 0n));
    }
    this.lastMs = facts.lastMs;
    this.profiles += facts.profiles;
    this.durationNanos += facts.durationNanos;
    this.samples += facts.samples;
    this.#vectorRows += vectorRows;
  }

  #startOf(timeMs: number): number {
    return Math.floor(timeMs / this.#stepMs);
  }
}

function isSameShape(a: Header, b: Header): boolean {
  if (a === b) return true;
  const shape = ({ sampleTypes, periodType }: Header) => JSON.stringify([sampleTypes, periodType]);
  return shape(a) === shape(b);
}
