/**
 * Reads little-endian fields of call frame information. What lies outside of the bytes, or does not fit a number exactly, reads as
 * 0 and sets `failed`, so that a million damaged entries cost no million exceptions; whoever reads asks for `failed` at the end.
 */
export class CfiCursor {
  at = 0;
  end = 0;
  failed = false;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads on from `at`, and not beyond `end`. */
  seek(at: number, end: number): void {
    this.at = at;
    this.end = Math.min(end, this.bytes.length);
    this.failed = at > this.end;
  }

  skip(count: number): void {
    if (count < 0 || this.at + count > this.end) this.failed = true;
    else this.at += count;
  }

  u8(): number {
    if (this.at >= this.end) {
      this.failed = true;
      return 0;
    }
    return this.bytes[this.at++] ?? 0;
  }

  u16(): number {
    return this.#has(2) ? this.#view.getUint16(this.at - 2, true) : 0;
  }

  u32(): number {
    return this.#has(4) ? this.#view.getUint32(this.at - 4, true) : 0;
  }

  s16(): number {
    return this.#has(2) ? this.#view.getInt16(this.at - 2, true) : 0;
  }

  s32(): number {
    return this.#has(4) ? this.#view.getInt32(this.at - 4, true) : 0;
  }

  u64(): number {
    return this.#has(8) ? this.#exact(this.#view.getBigUint64(this.at - 8, true)) : 0;
  }

  s64(): number {
    return this.#has(8) ? this.#exact(this.#view.getBigInt64(this.at - 8, true)) : 0;
  }

  uleb(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    let byte: number;
    do {
      byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    return this.#unlessWide(value, scale);
  }

  sleb(): number {
    let value = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    if ((byte & 0x40) !== 0) value -= scale;
    return this.#unlessWide(value, scale);
  }

  /** Beyond 49 bits the sum is rounded; no offset in a program is that large. */
  #unlessWide(value: number, scale: number): number {
    if (scale <= 2 ** 49) return value;
    this.failed = true;
    return 0;
  }

  #has(count: number): boolean {
    if (this.at + count > this.end) {
      this.failed = true;
      return false;
    }
    this.at += count;
    return true;
  }

  #exact(value: bigint): number {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    this.failed = true;
    return 0;
  }
}
