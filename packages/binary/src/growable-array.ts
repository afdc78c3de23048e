import { discard } from './discard.ts';

/** A Float64Array that grows: 8 bytes a value, no boxes. */
export class GrowableFloat64Array {
  length = 0;
  #values: Float64Array<ArrayBuffer>;

  constructor(capacity = 1024) {
    this.#values = new Float64Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const wider = new Float64Array(this.#values.length * 2);
      wider.set(this.#values);
      discard(this.#values);
      this.#values = wider;
    }
    this.#values[this.length++] = value;
  }

  /** 0 when empty. */
  get last(): number {
    return this.#values[this.length - 1] ?? 0;
  }

  /** What was pushed; valid until the next push. */
  view(): Float64Array<ArrayBuffer> {
    return this.#values.subarray(0, this.length);
  }

  /** Gives its memory back; it is empty then, and of no more use. */
  discard(): void {
    this.length = 0;
    discard(this.#values);
  }
}

/** A Uint32Array that grows. Values are cut to 32 bits, so callers check ranges first. */
export class GrowableUint32Array {
  length = 0;
  #values: Uint32Array<ArrayBuffer>;

  constructor(capacity = 1024) {
    this.#values = new Uint32Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const wider = new Uint32Array(this.#values.length * 2);
      wider.set(this.#values);
      discard(this.#values);
      this.#values = wider;
    }
    this.#values[this.length++] = value;
  }

  /** 0 outside of what was pushed. */
  at(index: number): number {
    return index < this.length ? (this.#values[index] ?? 0) : 0;
  }

  /** Replaces what was pushed `distance` values before the last. */
  setLast(distance: number, value: number): void {
    this.#values[this.length - 1 - distance] = value;
  }

  /** What was pushed; valid until the next push. */
  view(): Uint32Array<ArrayBuffer> {
    return this.#values.subarray(0, this.length);
  }

  /** Gives its memory back; it is empty then, and of no more use. */
  discard(): void {
    this.length = 0;
    discard(this.#values);
  }
}
