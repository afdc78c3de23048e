/**
 * The samples of one profile or rollup, decoded: what queries and block writers work on. Reused from profile to profile.
 * `words` holds 64-bit numbers column after column (the sample types, then the counts where no type says them), low word
 * first: number `column * capacity + row`.
 */
export class Vector {
  rows = 0;
  columns = 0;
  capacity = 1024;
  stacks = new Uint32Array(1024);
  /** Indices into the profile's list of label sets. */
  sets = new Uint32Array(1024);
  words = new Int32Array(2048);

  reset(rows: number, columns: number): void {
    if (rows > this.capacity) {
      this.capacity = rows * 2;
      this.stacks = new Uint32Array(this.capacity);
      this.sets = new Uint32Array(this.capacity);
    }
    if (this.words.length < this.capacity * columns * 2) this.words = new Int32Array(this.capacity * columns * 2);
    this.rows = rows;
    this.columns = columns;
  }

  /** Exact up to 2^53. */
  number(column: number, row: number): number {
    const at = (column * this.capacity + row) * 2;
    return (this.words[at + 1] ?? 0) * 4_294_967_296 + ((this.words[at] ?? 0) >>> 0);
  }

  bigint(column: number, row: number): bigint {
    const at = (column * this.capacity + row) * 2;
    return (BigInt(this.words[at + 1] ?? 0) << 32n) | BigInt((this.words[at] ?? 0) >>> 0);
  }

  put(column: number, row: number, low: number, high: number): void {
    const at = (column * this.capacity + row) * 2;
    this.words[at] = low;
    this.words[at + 1] = high;
  }
}
