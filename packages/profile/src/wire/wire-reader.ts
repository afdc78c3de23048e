import { ProfileFailure, type ProfileErrorCode } from '../profile-error.ts';

export const VARINT = 0;
const FIXED64 = 1;
export const BYTES = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;
/** The protobuf language's own limit. */
const MAX_FIELD = 0x1fff_ffff;

/** Values of the fields below 16 of one message, as two halves each. */
export class Scalars {
  readonly low = new Uint32Array(16);
  readonly high = new Uint32Array(16);

  /** Makes the fields up to `last` 0. */
  clear(last: number): void {
    for (let field = 1; field <= last; field++) {
      this.low[field] = 0;
      this.high[field] = 0;
    }
  }
}

/**
 * A bounds-checked cursor over protobuf's wire format. 64-bit values are read as two 32-bit halves (`low`, `high`).
 * Whatever is malformed throws a `ProfileFailure`; `where` is asked for the field's path only then.
 */
export class WireReader {
  position = 0;
  /** End of the message being read. */
  end: number;
  field = 0;
  wireType = 0;
  low = 0;
  high = 0;
  readonly bytes: Uint8Array;
  readonly #where: (field: number) => string;

  constructor(bytes: Uint8Array, where: (field: number) => string) {
    this.bytes = bytes;
    this.end = bytes.length;
    this.#where = where;
  }

  /** Reads the next tag; false at the end of the message. */
  next(): boolean {
    if (this.position >= this.end) return false;
    const byte = this.bytes[this.position] ?? 0;
    // Nearly all tags are of fields below 16, which are one byte.
    if (byte >= 0x80 || byte < 0x08) return this.#longTag();
    this.position++;
    this.field = byte >>> 3;
    this.wireType = byte & 7;
    return true;
  }

  #longTag(): true {
    this.field = 0;
    this.varint();
    // A tag has at most 29 + 3 bits.
    const field = this.low >>> 3;
    if (this.high !== 0 || field === 0 || field > MAX_FIELD) {
      this.fail('not_protobuf', 'a field number is outside 1 to 536870911');
    }
    this.field = field;
    this.wireType = this.low & 7;
    return true;
  }

  /** Reads a varint of the known field just begun. */
  scalar(): void {
    if (this.wireType !== VARINT) this.failWireType();
    this.varint();
  }

  /** Reads the length of a known length-delimited field; answers where its content ends. The content is within bounds. */
  delimited(): number {
    if (this.wireType !== BYTES) this.failWireType();
    return this.#contentEnd();
  }

  /** Leaves the value in `low` and `high`. */
  varint(): void {
    const at = this.position;
    const byte = at < this.end ? (this.bytes[at] ?? 0) : this.failTruncated();
    if (byte >= 0x80) {
      this.#longVarint();
      return;
    }
    this.position = at + 1;
    this.low = byte;
    this.high = 0;
  }

  /** One of two bytes and more. */
  #longVarint(): void {
    const { bytes, end } = this;
    let at = this.position;
    let low = (bytes[at++] ?? 0) & 0x7f;
    let high = 0;
    let shift = 7;
    for (;;) {
      if (at >= end) this.failTruncated();
      const byte = bytes[at++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) {
        low |= bits << shift;
      } else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else {
        // The tenth byte holds one bit of the 64; what it says beyond is dropped, as all protobuf libraries do.
        high |= bits << (shift - 32);
      }
      if (byte < 0x80) break;
      shift += 7;
      if (shift > 63) this.fail('not_protobuf', 'a varint is longer than 10 bytes');
    }
    this.position = at;
    this.low = low >>> 0;
    this.high = high >>> 0;
  }

  /**
   * Reads the rest of the message, of which only scalars up to the field `last` are of interest. Of one that occurs twice the last counts, so that references
   * are to be looked up only afterwards.
   */
  scalars(into: Scalars, last: number): void {
    into.clear(last);
    if (this.#smallScalars(into.low, last)) return;
    into.clear(last);
    while (this.next()) {
      if (this.field > last) {
        this.skip();
        continue;
      }
      this.scalar();
      into.low[this.field] = this.low;
      into.high[this.field] = this.high;
    }
  }

  /** What nearly all messages are: fields up to `last` below 2^21. False, and nothing is read, where it is another one. */
  #smallScalars(into: Uint32Array, last: number): boolean {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end) {
      const tag = bytes[at++] ?? 0;
      if ((tag & 0x87) !== VARINT || tag < 0x08 || tag >>> 3 > last) return false;
      let value = bytes[at++] ?? 0;
      if (value >= 0x80) {
        const second = bytes[at++] ?? 0;
        value = (value & 0x7f) | ((second & 0x7f) << 7);
        if (second >= 0x80) {
          const third = bytes[at++] ?? 0;
          if (third >= 0x80) return false;
          value |= third << 14;
        }
      }
      into[tag >>> 3] = value;
    }
    // What ends beyond is cut off.
    if (at > end) return false;
    this.position = at;
    return true;
  }

  /** Passes over the field just begun, whatever it is. Groups (deprecated, but legal) may nest; no recursion. */
  skip(): void {
    const outermost = this.field;
    let depth = 0;
    let open: number[] | undefined;
    for (;;) {
      switch (this.wireType) {
        case VARINT:
          this.varint();
          break;
        case FIXED64:
          this.#advance(8);
          break;
        case BYTES:
          this.position = this.#contentEnd();
          break;
        case FIXED32:
          this.#advance(4);
          break;
        case GROUP_START:
          open ??= [];
          open.push(this.field);
          depth++;
          break;
        case GROUP_END:
          if (depth === 0 || open?.pop() !== this.field) {
            this.field = outermost;
            this.fail('not_protobuf', 'a group ends that did not begin');
          }
          depth--;
          break;
        default:
          this.fail('not_protobuf', `wire type ${this.wireType} does not exist`);
      }
      if (depth === 0) return;
      if (!this.next()) {
        this.field = outermost;
        this.failTruncated();
      }
    }
  }

  fail(code: ProfileErrorCode, message: string): never {
    const field = this.#where(this.field);
    const subject = field === '' ? 'The profile' : field;
    throw new ProfileFailure(code, `${subject}: ${message}.`, field, this.position);
  }

  failTruncated(): never {
    this.fail('truncated', 'the input ends inside this field');
  }

  failWireType(): never {
    if (this.wireType > FIXED32) this.fail('not_protobuf', `wire type ${this.wireType} does not exist`);
    this.fail('wrong_wire_type', `wire type ${this.wireType} is not what this field has in pprof's profile.proto`);
  }

  #contentEnd(): number {
    this.varint();
    const end = this.position + this.low;
    if (this.high !== 0 || end > this.end) this.failTruncated();
    return end;
  }

  #advance(byteCount: number): void {
    if (this.position + byteCount > this.end) this.failTruncated();
    this.position += byteCount;
  }
}
