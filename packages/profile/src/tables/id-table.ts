import { discard } from './discard.ts';
import { PairTable } from './pair-table.ts';

/**
 * From a file's 64-bit ids to rows (1, 2, 3 …, in the order of `add`). Ids near 1…n, which nearly all files have, cost
 * an array access; others a hash look-up.
 */
export class IdTable {
  length = 1;
  readonly #dense: Uint32Array;
  readonly #sparse = new PairTable();
  readonly #sparseRow: number[] = [];

  /** `expected`: how many ids will be added. */
  constructor(expected: number) {
    this.#dense = new Uint32Array(expected * 2 + 64);
  }

  /** The new row, or 0 when the id is there already. */
  add(low: number, high: number): number {
    if (this.row(low, high) !== 0) return 0;
    const row = this.length++;
    if (high === 0 && low < this.#dense.length) this.#dense[low] = row;
    else this.#sparseRow[this.#sparse.intern(low, high)] = row;
    return row;
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    discard(this.#dense);
    this.#sparse.discard();
  }

  /** The row of an id; 0 when there is none. */
  row(low: number, high: number): number {
    if (high === 0 && low < this.#dense.length) return this.#dense[low] ?? 0;
    const found = this.#sparse.find(low, high);
    return found === undefined ? 0 : (this.#sparseRow[found] ?? 0);
  }
}
