/** A column of int64 that is read as float64: making a BigInt for each row costs several times as much. */
export class Int64Column {
  readonly bigints: BigInt64Array;
  /** Low and high half of each row: JavaScript engines run on little-endian machines only. */
  readonly #halves: Int32Array;

  constructor(bigints: BigInt64Array) {
    this.bigints = bigints;
    this.#halves = new Int32Array(bigints.buffer, bigints.byteOffset, bigints.length * 2);
  }

  /** The nearest float64: exact up to 2^53, and in the order of the column beyond. */
  number(row: number): number {
    return (this.#halves[row * 2 + 1] ?? 0) * 4_294_967_296 + ((this.#halves[row * 2] ?? 0) >>> 0);
  }

  /** In decimal. */
  text(row: number): string {
    const number = this.number(row);
    return String(Number.isSafeInteger(number) ? number : (this.bigints[row] ?? 0n));
  }
}

/** Whole numbers as int64, in the same memory. */
export function int64sOf(numbers: Float64Array<ArrayBuffer>): BigInt64Array<ArrayBuffer> {
  putProducts(numbers, 1, new Int32Array(numbers.buffer));
  return new BigInt64Array(numbers.buffer);
}

/** Whole numbers times `factor` as int64. */
export function int64sOfProducts(numbers: Float64Array, factor: number): BigInt64Array<ArrayBuffer> {
  const result = new BigInt64Array(numbers.length);
  putProducts(numbers, factor, new Int32Array(result.buffer));
  return result;
}

/** As halves: a BigInt for each row costs ten times as much. `halves` may be the memory of `numbers`. */
function putProducts(numbers: Float64Array, factor: number, halves: Int32Array): void {
  for (let i = 0; i < numbers.length; i++) {
    const value = (numbers[i] ?? 0) * factor;
    halves[i * 2] = value | 0;
    halves[i * 2 + 1] = Math.floor(value / 4_294_967_296);
  }
}
