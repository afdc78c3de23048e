/** Protobuf into one buffer that is used again and again. Callers say beforehand how much may come (`reserve`). */
export class WireBytes {
  #out: Uint8Array;
  #at = 0;

  /** `out` is replaced by a longer one when `reserve` asks for it. */
  constructor(out = new Uint8Array(1 << 16)) {
    this.#out = out;
  }

  clear(): void {
    this.#at = 0;
  }

  /** What was written: a view, valid until the next `clear`. */
  written(): Uint8Array {
    return this.#out.subarray(0, this.#at);
  }

  /** Room for `byteCount` bytes more. */
  reserve(byteCount: number): void {
    if (this.#at + byteCount <= this.#out.length) return;
    const grown = new Uint8Array(this.#out.length * 2 + byteCount);
    grown.set(this.#out.subarray(0, this.#at));
    this.#out = grown;
  }

  /** 32 unsigned bits. */
  varint(value: number): void {
    const out = this.#out;
    let at = this.#at;
    let rest = value;
    while (rest > 0x7f) {
      out[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    out[at++] = rest;
    this.#at = at;
  }

  /** 64 bits in halves. */
  varint64(low: number, high: number): void {
    let lo = low;
    let hi = high;
    while (hi !== 0) {
      this.#out[this.#at++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.varint(lo);
  }

  /** A whole number below 2^53. */
  wide(value: number): void {
    this.varint64(value >>> 0, Math.floor(value / 2 ** 32));
  }

  bytes(content: Uint8Array): void {
    this.#out.set(content, this.#at);
    this.#at += content.length;
  }
}

/** Bytes of a varint of 32 unsigned bits. */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

/** Bytes of a varint of 64 bits in halves. */
export function varint64Bytes(low: number, high: number): number {
  return high === 0 ? varintBytes(low) : Math.ceil((64 - Math.clz32(high)) / 7);
}
