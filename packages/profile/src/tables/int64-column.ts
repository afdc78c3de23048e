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
}
