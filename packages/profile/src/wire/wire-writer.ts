import { discard } from '../tables/discard.ts';

/** From here on the unused end of the buffer was never touched, so that it takes no memory. */
const worthView = 1 << 20;

/** Writes protobuf's wire format into one growing buffer. Lengths are computed by the caller beforehand (`varintSize`). */
export class WireWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #encoder = new TextEncoder();

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** What was written; nothing can be written afterwards. Of much, a view of a larger buffer, which is not copied for its end. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes;
    this.#bytes = new Uint8Array(0);
    return this.#length < worthView ? bytes.slice(0, this.#length) : bytes.subarray(0, this.#length);
  }

  /** Bytes written and not taken. */
  get length(): number {
    return this.#length;
  }

  /** A copy of what was written since the last one; writing goes on. */
  takePart(): Uint8Array<ArrayBuffer> {
    const part = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return part;
  }

  /** A varint of 32 unsigned bits. */
  varint32(value: number): void {
    this.#reserve(5);
    this.#put32(value);
  }

  /** A varint of 64 bits, given as halves. */
  varint64(low: number, high: number): void {
    this.#reserve(10);
    if (high === 0) {
      this.#put32(low);
      return;
    }
    let lo = low;
    let hi = high;
    const bytes = this.#bytes;
    let at = this.#length;
    while (hi !== 0 || lo > 0x7f) {
      bytes[at++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    bytes[at++] = lo;
    this.#length = at;
  }

  /** A varint field that is left out when 0, as proto3 does. */
  field64(field: number, low: number, high: number): void {
    if ((low | high) === 0) return;
    this.varint32(field << 3);
    this.varint64(low, high);
  }

  field32(field: number, value: number): void {
    this.field64(field, value, 0);
  }

  /** Tag and length of a length-delimited field whose content, `byteCount` bytes, follows. */
  begin(field: number, byteCount: number): void {
    this.varint32((field << 3) | 2);
    this.varint32(byteCount);
  }

  string(field: number, text: string): void {
    this.#reserve(text.length * 3 + 10);
    // Most names are short and ASCII; TextEncoder costs ~100 ns a call.
    if (text.length < 32 && this.#ascii(field, text)) return;
    const encoded = this.#encoder.encode(text);
    this.begin(field, encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#length += encoded.length;
  }

  #ascii(field: number, text: string): boolean {
    const before = this.#length;
    this.begin(field, text.length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) {
        this.#length = before;
        return false;
      }
      bytes[at++] = code;
    }
    this.#length = at;
    return true;
  }

  #put32(value: number): void {
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#length = at;
  }

  #reserve(byteCount: number): void {
    if (this.#length + byteCount <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + byteCount));
    grown.set(this.#bytes.subarray(0, this.#length));
    discard(this.#bytes);
    this.#bytes = grown;
  }
}

/** Bytes of a varint of 64 bits, given as halves: 1 to 10. */
export function varintSize(low: number, high: number): number {
  if (high === 0) return low < 0x80 ? 1 : Math.ceil((32 - Math.clz32(low)) / 7);
  return Math.ceil((64 - Math.clz32(high)) / 7);
}

/** Bytes of a varint field with a one-byte tag that is left out when 0. */
export function fieldSize(low: number, high: number): number {
  return (low | high) === 0 ? 0 : 1 + varintSize(low, high);
}
