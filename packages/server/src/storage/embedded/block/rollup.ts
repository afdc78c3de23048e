import { discard } from '@everflame/profile';
import { countTypeIndex, type Header } from '../header.ts';
import type { Vector } from '../vector-scratch.ts';

/** Profiles that one rollup of the lowest level sums, and rollups that one of the next level does. */
export const fanOut = 16;
/** Rollups of up to 65,536 profiles. */
export const levels = 4;

/**
 * Sums profiles of one series by stack. Exact: where a sum leaves 2^53, or profiles differ in shape, there is no rollup.
 * As in pprof's merge, what has no value in any type is not counted.
 */
export class Rollup {
  first = 0;
  count = 0;
  #isExact = true;
  #shape = '';
  #types = 0;
  #countColumn = 0;
  #columns = 0;
  #sums = new Float64Array(0);
  readonly #isSeen: Uint8Array;
  readonly #touched: Uint32Array;
  #touchedCount = 0;

  constructor(leaves: number) {
    this.#isSeen = new Uint8Array(leaves);
    this.#touched = new Uint32Array(leaves);
  }

  add(vector: Vector, header: Header, row: number): void {
    const shape = JSON.stringify([header.sampleTypes, header.periodType]);
    if (this.count === 0) {
      this.first = row;
      this.#isExact = true;
      this.#shape = shape;
      this.#types = header.sampleTypes.length;
      const countType = countTypeIndex(header.sampleTypes);
      this.#countColumn = countType < 0 ? this.#types : countType;
      this.#columns = vector.columns;
      const needed = this.#isSeen.length * vector.columns;
      if (this.#sums.length < needed) this.#sums = new Float64Array(needed);
    }
    this.count++;
    if (this.#shape !== shape) this.#isExact = false;
    if (!this.#isExact) return;
    for (let i = 0; i < vector.rows; i++) {
      const leaf = vector.stacks[i] ?? 0;
      if (this.#isSeen[leaf] === 0) {
        this.#isSeen[leaf] = 1;
        this.#touched[this.#touchedCount++] = leaf;
      }
      let isSomething = false;
      for (let column = 0; column < this.#types; column++) {
        const value = vector.number(column, i);
        if (value === 0) continue;
        isSomething = true;
        this.#addTo(leaf * this.#columns + column, value);
      }
      if (isSomething && this.#countColumn === this.#types) {
        this.#addTo(leaf * this.#columns + this.#types, vector.number(this.#types, i));
      }
    }
  }

  /** Empties the rollup into the vector. False when it has no exact sum. */
  take(into: Vector): boolean {
    const touched = this.#touched.subarray(0, this.#touchedCount).sort();
    into.reset(touched.length, this.#columns);
    for (const [i, leaf] of touched.entries()) {
      into.stacks[i] = leaf;
      into.sets[i] = 0;
      for (let column = 0; column < this.#columns; column++) {
        const sum = this.#sums[leaf * this.#columns + column] ?? 0;
        into.put(column, i, sum | 0, Math.floor(sum / 4_294_967_296));
        this.#sums[leaf * this.#columns + column] = 0;
      }
      this.#isSeen[leaf] = 0;
    }
    this.#touchedCount = 0;
    this.count = 0;
    return this.#isExact;
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    discard(this.#sums, this.#isSeen, this.#touched);
  }

  #addTo(at: number, value: number): void {
    const sum = (this.#sums[at] ?? 0) + value;
    this.#sums[at] = sum;
    if (!Number.isSafeInteger(sum) || !Number.isSafeInteger(value)) this.#isExact = false;
  }
}
