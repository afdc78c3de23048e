import { discard, type SampleTable } from '@everflame/profile';
import { StorageError } from '../storage.ts';
import { longer } from './longer.ts';
import { WordTable } from './word-table.ts';

/** Samples of a merged profile: sums by (stack, label set), in float64 or, where that is not enough, in BigInt. */
export class SampleSums {
  readonly #width: number;
  readonly #isBig: boolean;
  readonly #rows = new WordTable(2);
  readonly #key = new Uint32Array(2);
  #sums = new Float64Array(1024);
  readonly #bigSums: bigint[] = [];

  /** `width`: the sample types, and one for the count. */
  constructor(width: number, isBig: boolean) {
    this.#width = width;
    this.#isBig = isBig;
  }

  /** Adds `width` numbers from `at` on. False where a sum leaves what float64 holds exactly. */
  add(stack: number, labelSet: number, numbers: ArrayLike<bigint | number>, at: number): boolean {
    this.#key[0] = stack;
    this.#key[1] = labelSet;
    const first = this.#rows.intern(this.#key, 2) * this.#width;
    let isExact = true;
    for (let i = 0; i < this.#width; i++) {
      if (this.#isBig) {
        this.#bigSums[first + i] = (this.#bigSums[first + i] ?? 0n) + BigInt(numbers[at + i] ?? 0);
        continue;
      }
      if (first + this.#width > this.#sums.length) {
        this.#sums = longer(this.#sums, this.#sums.length * 2 + this.#width);
      }
      const sum = (this.#sums[first + i] ?? 0) + Number(numbers[at + i] ?? 0);
      this.#sums[first + i] = sum;
      if (!Number.isSafeInteger(sum)) isExact = false;
    }
    return isExact;
  }

  /**
   * The samples; nothing can be added afterwards.
   *
   * @throws StorageError `sum_overflow`
   */
  columns(): SampleTable & { readonly hasZero: boolean } {
    const length = this.#rows.length - 1;
    const types = this.#width - 1;
    const stack = new Uint32Array(length);
    const labelSet = new Uint32Array(length);
    const values = new BigInt64Array(length * types);
    const words = new Int32Array(values.buffer);
    const count = new Float64Array(length);
    let hasZero = false;
    for (let row = 0; row < length; row++) {
      stack[row] = this.#rows.words[(row + 1) * 2] ?? 0;
      labelSet[row] = this.#rows.words[(row + 1) * 2 + 1] ?? 0;
      const from = (row + 1) * this.#width;
      let isZero = true;
      for (let t = 0; t < types; t++) {
        if (this.#isBig) {
          const sum = this.#bigSums[from + t] ?? 0n;
          if (sum !== BigInt.asIntN(64, sum)) throw overflow();
          values[row * types + t] = sum;
          if (sum !== 0n) isZero = false;
        } else {
          const sum = this.#sums[from + t] ?? 0;
          words[(row * types + t) * 2] = sum | 0;
          words[(row * types + t) * 2 + 1] = Math.floor(sum / 4_294_967_296);
          if (sum !== 0) isZero = false;
        }
      }
      count[row] = Number(this.#isBig ? (this.#bigSums[from + types] ?? 0n) : (this.#sums[from + types] ?? 0));
      if (isZero) hasZero = true;
    }
    this.#rows.discard();
    discard(this.#sums);
    return { length, stack, labelSet, values, count, hasZero };
  }
}

function overflow(): StorageError {
  return new StorageError('sum_overflow', 'a sum in this range leaves int64: ask for a shorter range or fewer series');
}
