import { discard } from './discard.ts';

/** A Uint32Array that grows by doubling. `data` is replaced when it grows: read it anew after each push. */
export class GrowableU32 {
  data: Uint32Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 16) {
    this.data = new Uint32Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.data.length) this.data = doubled(this.data);
    this.data[this.length++] = value;
  }

  /** The value at `index`, 0 beyond the end. */
  at(index: number): number {
    return index < this.length ? (this.data[index] ?? 0) : 0;
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    discard(this.data);
  }

  /** A copy of exact length. */
  toArray(): Uint32Array<ArrayBuffer> {
    return this.data.slice(0, this.length);
  }
}

/** A column of 64-bit integers kept as pairs of 32-bit halves, so that filling it makes no BigInt. */
export class GrowableU64 {
  /** Low half of entry `i` at `2 * i`, high half after it: the memory of a BigUint64Array on a little-endian machine. */
  readonly halves: GrowableU32;

  constructor(capacity = 16) {
    this.halves = new GrowableU32(capacity * 2);
  }

  get length(): number {
    return this.halves.length / 2;
  }

  push(low: number, high: number): void {
    this.halves.push(low);
    this.halves.push(high);
  }

  toSigned(): BigInt64Array<ArrayBuffer> {
    return new BigInt64Array(this.halves.toArray().buffer);
  }

  toUnsigned(): BigUint64Array<ArrayBuffer> {
    return new BigUint64Array(this.halves.toArray().buffer);
  }
}

/** A copy with twice the room; the old one is empty afterwards. */
export function doubled(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(Math.max(16, old.length * 2));
  grown.set(old);
  discard(old);
  return grown;
}

/** The 32-bit halves of a column of 64-bit integers, low first. JavaScript engines run on little-endian machines only. */
export function halvesOf(column: BigInt64Array | BigUint64Array): Uint32Array {
  return new Uint32Array(column.buffer, column.byteOffset, column.length * 2);
}
