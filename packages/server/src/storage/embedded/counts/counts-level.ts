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
import { factorWith, joinedFactor } from './value-per-sample.ts';

/** Which rows a level keeps. */
export interface LevelRules {
  readonly stepMs: number;
  /** Fewer profiles are as quickly counted from their own samples. */
  readonly minProfiles: number;
  /** Rows of samples for each function that must stand behind a row. */
  readonly rowsPerFunction: number;
}

interface StepFacts extends CountsFacts, SpanTimes {
  readonly headerNumber: number;
}

/** The profiles of one series within one step of one length, summed. */
export class CountsLevel implements StepFacts {
  profiles = 0;
  durationNanos = 0n;
  samples = 0;
  values: readonly bigint[] = [];
  factors: number[] = [];
  headerNumber = 0;
  firstMs = 0;
  lastMs = 0;
  /** Steps of the level below that it has. */
  parts = 0;
  readonly #rules: LevelRules;
  #stacks: StackSums | null = null;
  #sums: FunctionSums | null = null;
  /** Steps whose samples are summed. */
  readonly #worthwhile = new Set<number>();
  #start = Number.NaN;
  #shape: Header | null = null;
  #vectorRows = 0;
  #isExact = true;

  constructor(rules: LevelRules) {
    this.#rules = rules;
  }

  /** Before the first sample. Functions have numbers up to `functions`. */
  start(stacks: StackFunctions, functions: number): void {
    this.#stacks = new StackSums(stacks);
    this.#sums = new FunctionSums(functions + 1);
  }

  /** The profiles that will come. What is summed in a step of the level below is summed here. */
  expect(rows: readonly ProfileRow[], below: CountsLevel | null): void {
    this.#worthwhile.clear();
    let count = 0;
    let before = Number.NaN;
    for (const { timeMs } of rows) {
      const start = this.#startOf(timeMs);
      count = start === before ? count + 1 : 1;
      before = start;
      if (count === this.#rules.minProfiles) this.#worthwhile.add(start);
    }
    if (below === null) return;
    for (const start of below.#worthwhile) this.#worthwhile.add(this.#startOf(start * below.#rules.stepMs));
  }

  /** Whether samples will be summed at all. */
  hasWork(): boolean {
    return this.#worthwhile.size > 0;
  }

  /** Whether what is there belongs to another step. */
  isOver(timeMs: number): boolean {
    return this.profiles > 0 && this.#startOf(timeMs) !== this.#start;
  }

  /** Whether there are so many profiles in the step that a row may be kept. */
  isWorthwhile(timeMs: number): boolean {
    return this.#worthwhile.has(this.#startOf(timeMs));
  }

  addFacts({ timeMs, header, durationNanos, totals }: ProfileRow, headerNumber: number, vectorRows: number): void {
    const { values } = decodeTotals(totals, header.sampleTypes.length);
    const factors = values.map(() => Number.NaN);
    const times = { firstMs: timeMs, lastMs: timeMs };
    const facts = { profiles: 1, durationNanos, samples: 0, values, factors, headerNumber, ...times };
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
      for (let t = 0; t < types; t++) {
        this.factors[t] = factorWith(this.factors[t] ?? Number.NaN, count, vector.number(t, i));
      }
      this.#stacks?.add(leaves[vector.stacks[i] ?? 0] ?? 0, count);
    }
  }

  /** Adds a step of the level below. `columns`: of all its samples, or null when they were added here. */
  addPart(part: CountsLevel, columns: FunctionColumns | null): void {
    if (part.#shape === null) return;
    this.parts++;
    this.#addFacts(part, part.#shape, part.#vectorRows);
    if (!part.#isExact) this.#isExact = false;
    if (columns === null || this.#sums === null) return;
    for (let i = 0; i < columns.length; i++) {
      const id = columns.ids[i] ?? 0;
      this.#sums.addInclusive(id, columns.inclusive[i] ?? 0);
      this.#sums.addSelf(id, columns.self[i] ?? 0);
    }
  }

  /** The functions of all samples that were added, which are gone then. */
  take(): FunctionColumns {
    if (this.#stacks === null || this.#sums === null) throw new Error('samples are taken before they can be there');
    this.#stacks.moveTo(this.#sums);
    return this.#sums.take();
  }

  /** Whether a row with these columns is true and worth its bytes. */
  isToKeep(columns: FunctionColumns): boolean {
    return this.#isExact && columns.length * this.#rules.rowsPerFunction <= this.#vectorRows;
  }

  reset(): void {
    this.profiles = 0;
    this.durationNanos = 0n;
    this.samples = 0;
    this.values = [];
    this.factors = [];
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
      this.factors = facts.factors.map((factor, t) => joinedFactor(factor, this.factors[t] ?? Number.NaN));
    } else {
      if (!isSameShape(this.#shape, shape)) this.#isExact = false;
      this.values = this.values.map((value, t) => value + (facts.values[t] ?? 0n));
      this.factors = this.factors.map((factor, t) => joinedFactor(factor, facts.factors[t] ?? Number.NaN));
    }
    this.lastMs = facts.lastMs;
    this.profiles += facts.profiles;
    this.durationNanos += facts.durationNanos;
    this.samples += facts.samples;
    this.#vectorRows += vectorRows;
  }

  #startOf(timeMs: number): number {
    return Math.floor(timeMs / this.#rules.stepMs);
  }
}

function isSameShape(a: Header, b: Header): boolean {
  if (a === b) return true;
  const shape = ({ sampleTypes, periodType }: Header) => JSON.stringify([sampleTypes, periodType]);
  return shape(a) === shape(b);
}
