import { discard } from '@everflame/profile';

/**
 * Varints as protobuf writes them (little-endian groups of seven bits), and zigzag for signed 64-bit values. Values of 64
 * bits are handled as two 32-bit words, since BigInt arithmetic costs about fifty times as much.
 */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  length = 0;

  /** An unsigned integer below 2^53. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.#bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#small(rest);
  }

  /** A signed 64-bit integer given as its two's complement words. */
  zigzag(low: number, high: number): void {
    this.#reserve(10);
    const sign = high >> 31;
    let lowBits = (low << 1) ^ sign;
    let highBits = ((high << 1) | (low >>> 31)) ^ sign;
    while (highBits !== 0) {
      this.#bytes[this.length++] = (lowBits & 0x7f) | 0x80;
      lowBits = (lowBits >>> 7) | (highBits << 25);
      highBits >>>= 7;
    }
    this.#small(lowBits >>> 0);
  }

  bigint(value: bigint): void {
    scratch[0] = value;
    this.zigzag(scratchWords[0] ?? 0, scratchWords[1] ?? 0);
  }

  /** Length, then UTF-8. */
  text(value: string): void {
    const encoded = encoder.encode(value);
    this.varint(encoded.length);
    this.raw(encoded);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A copy of what was written. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }

  /** Begins anew with little memory. */
  shrink(): void {
    discard(this.#bytes);
    this.#bytes = new Uint8Array(1024);
    this.length = 0;
  }

  #small(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.length++] = rest;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.length + count, this.#bytes.length * 2));
    larger.set(this.#bytes);
    discard(this.#bytes);
    this.#bytes = larger;
  }
}

/** Reads what `ByteWriter` wrote. Throws a RangeError past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  position = 0;
  /** The words of the last `zigzag`. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** Leaves the signed 64-bit value in `low` and `high`. */
  zigzag(): void {
    let low = 0;
    let high = 0;
    let shift = 0;
    for (;;) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) break;
      shift += 7;
    }
    const sign = -(low & 1);
    this.low = ((low >>> 1) | (high << 31)) ^ sign;
    this.high = (high >>> 1) ^ sign;
  }

  bigint(): bigint {
    this.zigzag();
    scratchWords[0] = this.low;
    scratchWords[1] = this.high;
    return scratch[0] ?? 0n;
  }

  text(): string {
    return decoder.decode(this.raw(this.varint()));
  }

  /** A view of the next bytes. */
  raw(count: number): Uint8Array {
    if (this.position + count > this.#bytes.length) throw new RangeError('past the end of a stored record');
    const view = this.#bytes.subarray(this.position, this.position + count);
    this.position += count;
    return view;
  }

  /** Refuses a count that the rest cannot hold at a byte each, before memory is taken for it. */
  expectAtLeast(count: number): void {
    if (this.position + count > this.#bytes.length) throw new RangeError('past the end of a stored record');
  }

  isAtEnd(): boolean {
    return this.position >= this.#bytes.length;
  }

  #byte(): number {
    const byte = this.#bytes[this.position++];
    if (byte === undefined) throw new RangeError('past the end of a stored record');
    return byte;
  }
}

const scratch = new BigInt64Array(1);
/** Everflame runs on x86-64 and arm64, both little-endian: word 0 is the low one. */
const scratchWords = new Int32Array(scratch.buffer);
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
