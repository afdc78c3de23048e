import { BinaryFormatError } from '../binary-error.ts';

/**
 * A cursor over bytes of DWARF. Every read checks the end, so that damaged data is an error of code `truncated` or `malformed` and never
 * an endless loop: each step moves forward or throws.
 */
export class DwarfReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  position = 0;
  readonly end: number;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.littleEndian = littleEndian;
    this.end = bytes.length;
  }

  get isAtEnd(): boolean {
    return this.position >= this.end;
  }

  /** Moves on by `count` bytes and answers where they start. */
  take(count: number): number {
    const at = this.position;
    if (!(count >= 0 && at + count <= this.end)) {
      throw new BinaryFormatError('truncated', `DWARF: ${count} bytes at ${at} of ${this.end}`);
    }
    this.position = at + count;
    return at;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  i8(): number {
    return this.view.getInt8(this.take(1));
  }

  u16(): number {
    return this.view.getUint16(this.take(2), this.littleEndian);
  }

  u24(): number {
    const at = this.take(3);
    const [first, middle, last] = [this.view.getUint8(at), this.view.getUint8(at + 1), this.view.getUint8(at + 2)];
    return this.littleEndian ? first | (middle << 8) | (last << 16) : (first << 16) | (middle << 8) | last;
  }

  u32(): number {
    return this.view.getUint32(this.take(4), this.littleEndian);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.take(8), this.littleEndian);
  }

  /**
   * Eight bytes as a signed number, so that an address of the kernel's half (0xffffffff81000000) is exact as well. Beyond ±2^53, where neither
   * addresses nor offsets are, the low bits are lost.
   */
  i64(): number {
    const at = this.take(8);
    const low = this.view.getUint32(this.littleEndian ? at : at + 4, this.littleEndian);
    const high = this.view.getInt32(this.littleEndian ? at + 4 : at, this.littleEndian);
    return high * 2 ** 32 + low;
  }

  /** An offset or length of the 32-bit or 64-bit format. */
  offset(is64BitFormat: boolean): number {
    if (!is64BitFormat) return this.u32();
    const value = this.i64();
    if (value < 0 || value > Number.MAX_SAFE_INTEGER)
      throw new BinaryFormatError('malformed', `DWARF: offset ${value}`);
    return value;
  }

  /** An address of 1, 2, 4 or 8 bytes; of 8, signed. */
  address(size: number): number {
    if (size === 8) return this.i64();
    if (size === 4) return this.u32();
    if (size === 2) return this.u16();
    if (size === 1) return this.u8();
    throw new BinaryFormatError('unsupported', `DWARF: addresses of ${size} bytes`);
  }

  /** Exact up to 2^53; at most 10 bytes, as producers pad at most. */
  uleb(): number {
    const { bytes, end } = this;
    let at = this.position;
    if (at < end) {
      const first = bytes[at] ?? 0;
      if (first < 0x80) {
        this.position = at + 1;
        return first;
      }
    }
    let value = 0;
    let scale = 1;
    for (const limit = Math.min(end, at + 10); at < limit; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.position = at;
        return value;
      }
    }
    const code = at === end ? 'truncated' : 'malformed';
    throw new BinaryFormatError(code, `DWARF: unterminated LEB128 at ${this.position}`);
  }

  sleb(): number {
    const start = this.position;
    const value = this.uleb();
    const length = this.position - start;
    const isNegative = ((this.bytes[this.position - 1] ?? 0) & 0x40) !== 0;
    if (!isNegative) return value;
    // Ten bytes have 70 bits, of which the upper ones repeat the sign: the sum in doubles has lost the low ones.
    return length < 8 ? value - 2 ** (7 * length) : this.#wideNegative(start, length);
  }

  #wideNegative(start: number, length: number): number {
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 7n) | BigInt((this.bytes[start + i] ?? 0) & 0x7f);
    return Number(BigInt.asIntN(64, BigInt.asIntN(7 * length, value)));
  }

  skipLeb(): void {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end) {
      if ((bytes[at++] ?? 0) < 0x80) {
        this.position = at;
        return;
      }
    }
    throw new BinaryFormatError('truncated', `DWARF: LEB128 at ${this.position}`);
  }

  /** A string that ends with 0, as bytes without it. */
  stringBytes(): Uint8Array {
    const nul = this.bytes.indexOf(0, this.position);
    if (nul < 0 || nul >= this.end) throw new BinaryFormatError('truncated', `DWARF: string at ${this.position}`);
    const text = this.bytes.subarray(this.position, nul);
    this.position = nul + 1;
    return text;
  }

  string(): string {
    return textOf(this.stringBytes());
  }
}

/** Names longer than this are cut: C++ has some of tens of kilobytes, a hostile file could have one of gigabytes. */
export const longestText = 32 * 1024;

export function textOf(bytes: Uint8Array): string {
  const { buffer, byteOffset } = bytes;
  return Buffer.from(buffer, byteOffset, Math.min(bytes.length, longestText)).toString('utf8');
}
