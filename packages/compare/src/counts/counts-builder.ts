import { discard } from '@everflame/profile';
import { CompareFailure } from '../compare-failure.ts';
import { NO_FUNCTION } from '../explain/call-tree.ts';
import { checkCounts, MAX_UNITS } from './check-counts.ts';
import type { CountColumn, SideCounts } from './side-counts.ts';

/** Cells while building are dense per unit, 8 or 16 bytes each: 64 M of them are 1 GB, the most that one comparison may take. */
const MAX_CELLS = 64 * 1024 * 1024;

/** What a unit did in one interval, a minute say. The three columns have the same length; a function occurs at most once in it. */
export interface IntervalCounts {
  readonly functions: Uint32Array;
  readonly self: ArrayLike<number>;
  readonly inclusive: ArrayLike<number>;
  /** All samples, those without a function included. */
  readonly samples: number;
  readonly seconds: number;
  /** null when nobody counted requests. */
  readonly requests: number | null;
}

interface UnitRow {
  /** Self and inclusive count of function `f` at `2f` and `2f + 1`: one place in the cache for both. */
  counts: CountColumn;
  samples: number;
  seconds: number;
  requests: number;
}

/** Adds minute counts up to a `SideCounts`; rows come in any order. Memory: units × functions × 8 bytes, 16 for units that count to 2^32. */
export class CountsBuilder {
  readonly #version: string;
  readonly #functions: number;
  readonly #secondsPerSample: number;
  readonly #units = new Map<string, UnitRow>();
  #requestsKnown = true;
  /** 1 for a function that several numbers stand for: its inclusive counts may have some samples twice. */
  readonly #isJoined: Uint8Array;
  readonly #knownIds = new Set<Uint32Array>();
  /** No sum has needed more than 32 bits. */
  #isNarrow = true;

  constructor(version: string, functions: number, secondsPerSample: number) {
    this.#version = version;
    this.#functions = functions;
    this.#secondsPerSample = secondsPerSample;
    this.#isJoined = new Uint8Array(functions);
  }

  /**
   * `idOf`: the id of each function of `counts`, where it has numbers of its own; those beyond the known ones are left out.
   * Throws `CompareFailure` on a function id out of range and when the limits are passed.
   */
  add(unit: string, counts: IntervalCounts, idOf: Uint32Array | null = null): void {
    const row = this.#unit(unit);
    const { functions, self, inclusive } = counts;
    let sums = row.counts;
    if (idOf !== null && !this.#knownIds.has(idOf)) this.#join(idOf);
    const known = this.#functions;
    const first = idOf === null && sums instanceof Uint32Array ? addNarrow(sums, counts) : 0;
    for (let i = first; i < functions.length; i++) {
      const number = functions[i] ?? 0;
      const id = idOf === null ? number : (idOf[number] ?? NO_FUNCTION);
      if (id === NO_FUNCTION) continue;
      if (id >= known) throw new CompareFailure('bad_shape', `function ${id} of ${known}`);
      const selfSum = (sums[2 * id] ?? 0) + (self[i] ?? 0);
      const sum = (sums[2 * id + 1] ?? 0) + (inclusive[i] ?? 0);
      if (!isNarrow(selfSum, sum) && sums instanceof Uint32Array) {
        sums = Float64Array.from(sums);
        row.counts = sums;
        this.#isNarrow = false;
      }
      sums[2 * id] = selfSum;
      sums[2 * id + 1] = sum;
    }
    row.samples += counts.samples;
    row.seconds += counts.seconds;
    if (counts.requests === null) this.#requestsKnown = false;
    else row.requests += counts.requests;
  }

  /** What they come to, once: the sums are given back. Throws `CompareFailure` when the counts break an invariant of `SideCounts`. Units come in the order of their first row. */
  finish(): SideCounts {
    const rows = [...this.#units.values()];
    const functions = this.#functions;
    const functionStart = new Uint32Array(functions + 1);
    for (const row of rows)
      for (let f = 0; f < functions; f++)
        if (row.counts[2 * f + 1] !== 0) functionStart[f + 1] = (functionStart[f + 1] ?? 0) + 1;
    for (let f = 0; f < functions; f++) functionStart[f + 1] = (functionStart[f + 1] ?? 0) + (functionStart[f] ?? 0);
    const cells = functionStart[functions] ?? 0;
    const next = functionStart.slice(0, functions);
    const cellUnit = new Uint32Array(cells);
    const column = (): CountColumn => (this.#isNarrow ? new Uint32Array(cells) : new Float64Array(cells));
    const [cellSelf, cellInclusive] = [column(), column()];
    for (const [unit, row] of rows.entries()) {
      for (let f = 0; f < functions; f++) {
        const inclusive = row.counts[2 * f + 1] ?? 0;
        if (inclusive === 0) {
          if (row.counts[2 * f] !== 0)
            throw new CompareFailure('more_than_all', `function ${f} has self samples, no inclusive ones`);
          continue;
        }
        const at = next[f] ?? 0;
        next[f] = at + 1;
        cellUnit[at] = unit;
        cellSelf[at] = row.counts[2 * f] ?? 0;
        cellInclusive[at] = this.#isJoined[f] === 1 ? Math.min(inclusive, row.samples) : inclusive;
      }
      discard(row.counts);
    }
    const side: SideCounts = {
      version: this.#version,
      unitNames: [...this.#units.keys()],
      unitSamples: Float64Array.from(rows, (row) => row.samples),
      unitSeconds: Float64Array.from(rows, (row) => row.seconds),
      unitRequests: this.#requestsKnown ? Float64Array.from(rows, (row) => row.requests) : null,
      secondsPerSample: this.#secondsPerSample,
      functionStart,
      cellUnit,
      cellSelf,
      cellInclusive,
    };
    checkCounts(side, functions);
    return side;
  }

  #join(idOf: Uint32Array): void {
    this.#knownIds.add(idOf);
    const isMet = new Uint8Array(this.#functions);
    for (const id of idOf) {
      if (isMet[id] === 1) this.#isJoined[id] = 1;
      isMet[id] = 1;
    }
  }

  #unit(name: string): UnitRow {
    const found = this.#units.get(name);
    if (found !== undefined) return found;
    const count = this.#units.size + 1;
    if (count > MAX_UNITS || count * this.#functions > MAX_CELLS)
      throw new CompareFailure(
        'too_large',
        `${count} units × ${this.#functions} functions; the limit is ${MAX_CELLS} cells`,
      );
    const row: UnitRow = {
      counts: new Uint32Array(2 * this.#functions),
      samples: 0,
      seconds: 0,
      requests: 0,
    };
    this.#units.set(name, row);
    return row;
  }
}

/** Adds counts without numbers of their own while they and their sums fit into 32 bits and their functions are known, in two thirds of the time: how many it has added. */
function addNarrow(sums: Uint32Array, { functions, self, inclusive }: IntervalCounts): number {
  if (!(self instanceof Uint32Array && inclusive instanceof Uint32Array)) return 0;
  for (let i = 0; i < functions.length; i++) {
    const at = 2 * (functions[i] ?? 0);
    if (at >= sums.length) return i;
    const selfSum = (sums[at] ?? 0) + (self[i] ?? 0);
    const sum = (sums[at + 1] ?? 0) + (inclusive[i] ?? 0);
    if (selfSum >= wide || sum >= wide) return i;
    sums[at] = selfSum;
    sums[at + 1] = sum;
  }
  return functions.length;
}

const wide = 2 ** 32;

/** Fit both into 32 bits? What is no count is kept as it is, for `checkCounts` to refuse. */
function isNarrow(self: number, inclusive: number): boolean {
  return self >>> 0 === self && inclusive >>> 0 === inclusive;
}
