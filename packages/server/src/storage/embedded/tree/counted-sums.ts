import { discard } from '@everflame/profile';
import { longer } from '../longer.ts';

/** Values are not the same number times their counts: they have a column of their own. */
const apart = -1;

/**
 * Counts and values by row. A sampling profiler's values are its counts times the period of its clock: as long as all that is added has the same number
 * of the value for each count, counts alone are kept.
 */
export class CountedSums {
  counts = new Float64Array(0);
  /** Zeros where values are not apart. */
  #values = new Float64Array(0);
  /** 0: nothing was added yet. */
  #perCount = 0;

  get isApart(): boolean {
    return this.#perCount === apart;
  }

  /** How many of the value each count stands for; 0: not the same for all. */
  get perCount(): number {
    return this.isApart ? 0 : this.#perCount;
  }

  /** Where values are apart. */
  get values(): Float64Array<ArrayBuffer> {
    return this.#values;
  }

  /** What is added next has `perCount` of the value for each count; 0: any values. `rows` answers those that something was added to before. */
  expect(perCount: number, rows: () => Uint32Array): void {
    if (this.isApart || (perCount > 0 && this.#perCount === perCount)) return;
    const before = this.#perCount;
    if (before === 0 && perCount > 0) {
      this.#perCount = perCount;
      return;
    }
    this.#perCount = apart;
    this.#reserveValues();
    if (before > 0) for (const row of rows()) this.#values[row] = (this.counts[row] ?? 0) * before;
  }

  /** As `other` has them, for rows with nothing in them. */
  be({ isApart, perCount }: CountedSums): void {
    this.#perCount = isApart ? apart : perCount;
    if (isApart) this.#reserveValues();
  }

  /** Room for so many rows; what is there stays. */
  reserve(length: number): void {
    if (length <= this.counts.length) return;
    this.counts = longer(this.counts, length);
    if (this.isApart) this.#reserveValues();
  }

  /** Zeros in these rows, which are all that something was added to. */
  clear(rows: Uint32Array): void {
    const { counts } = this;
    const values = this.#values;
    for (let i = 0; i < rows.length; i++) counts[rows[i] ?? 0] = 0;
    if (this.isApart) for (let i = 0; i < rows.length; i++) values[rows[i] ?? 0] = 0;
    this.#perCount = 0;
  }

  /** Gives its memory back: there is room for nothing then. */
  discard(): void {
    discard(this.counts, this.#values);
    this.counts = new Float64Array(0);
    this.#values = new Float64Array(0);
    this.#perCount = 0;
  }

  #reserveValues(): void {
    if (this.#values.length < this.counts.length) this.#values = longer(this.#values, this.counts.length);
  }
}
