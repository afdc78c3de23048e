import { discard } from '@everflame/profile';

/** JSON with long columns of numbers in it, written byte by byte: many times as fast as by way of strings. */
export const JSON_MEDIA_TYPE = 'application/json; charset=utf-8';

/** What may stand for an answer's columns: typed arrays, of int64 for decimal text. */
export type WithColumns<T> = T extends readonly (infer Item)[]
  ? | T
    | JsonRows<Item>
    | (Item extends number ? Uint32Array | Float64Array : Item extends string ? BigInt64Array : never)
  : T extends object
    ? { readonly [Key in keyof T]: WithColumns<T[Key]> }
    : T;

/** A long array whose items are made one by one as they are written: thousands of objects at once would be copied by the collector, some of them twice. */
export class JsonRows<Item> {
  readonly length: number;
  readonly of: (row: number) => Item;

  constructor(length: number, of: (row: number) => Item) {
    this.length = length;
    this.of = of;
  }
}

/**
 * The value as JSON in UTF-8, columns as arrays. Arrays that are no columns hold plain values. Columns are given back as they are written (`discard`): they
 * and the text of a large answer are not there together.
 */
export function jsonOf<T extends object>(value: WithColumns<T>): Uint8Array<ArrayBuffer> {
  const out = new JsonBytes();
  out.value(value);
  return out.take();
}

/** What was written last, for the next answer: memory that is new costs more than what is written to it. */
let scratch = new Uint8Array(1 << 16);
/** Larger ones are not kept. */
const mostScratch = 8 << 20;
/** How long the last answer was: who asks for a large one mostly asks for more of them, and growing to its length copies all of it once more. */
let lastLength = 0;

/** Text is written in pieces of about this length. */
const pieceOfText = 8192;

class JsonBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor() {
    this.#bytes = scratch.length > lastLength ? scratch : new Uint8Array(lastLength + (lastLength >> 3));
    scratch = new Uint8Array(0);
  }

  value(value: unknown): void {
    if (value instanceof Uint32Array || value instanceof Float64Array) {
      this.#numbers(value);
      discard(value);
    } else if (value instanceof BigInt64Array) {
      this.#decimals(value);
      discard(value);
    } else if (value instanceof JsonRows) {
      this.#rows(value);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      let isFirst = true;
      for (const [key, one] of Object.entries(value)) {
        if (one === undefined) continue;
        this.#text(`${isFirst ? '{' : ','}${JSON.stringify(key)}:`);
        this.value(one);
        isFirst = false;
      }
      this.#text(isFirst ? '{}' : '}');
    } else this.#text(JSON.stringify(value));
  }

  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes;
    lastLength = this.#length;
    // What is behind it was never written to and takes no memory: a copy of the right size would.
    if (bytes.length > mostScratch) return bytes.subarray(0, this.#length);
    scratch = bytes;
    return bytes.slice(0, this.#length);
  }

  #rows({ length, of }: JsonRows<unknown>): void {
    let text = '[';
    for (let row = 0; row < length; row++) {
      text += `${row > 0 ? ',' : ''}${JSON.stringify(of(row))}`;
      if (text.length < pieceOfText) continue;
      this.#text(text);
      text = '';
    }
    this.#text(`${text}]`);
  }

  #text(text: string): void {
    // A UTF-16 unit takes three bytes at most.
    this.#reserve(text.length * 3);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  #numbers(column: Uint32Array | Float64Array): void {
    // A whole number below 2^53 has 16 digits at most.
    this.#reserve(column.length * 17 + 2);
    this.#bytes[this.#length++] = open;
    for (let i = 0; i < column.length; i++) {
      if (i > 0) this.#bytes[this.#length++] = comma;
      const value = column[i] ?? 0;
      if (Number.isSafeInteger(value) && value >= 0) this.#digits(value);
      else {
        this.#text(JSON.stringify(value));
        this.#reserve((column.length - i) * 17 + 2);
      }
    }
    this.#bytes[this.#length++] = close;
  }

  #decimals(column: BigInt64Array): void {
    const words = new Int32Array(column.buffer, column.byteOffset, column.length * 2);
    // Sign, 19 digits, quotes and a comma.
    this.#reserve(column.length * 23 + 2);
    this.#bytes[this.#length++] = open;
    for (let i = 0; i < column.length; i++) {
      if (i > 0) this.#bytes[this.#length++] = comma;
      this.#bytes[this.#length++] = quote;
      const high = words[i * 2 + 1] ?? 0;
      if (high >= 0 && high < 0x20_0000) this.#digits(high * 4_294_967_296 + ((words[i * 2] ?? 0) >>> 0));
      else {
        const text = String(column[i] ?? 0n);
        for (let at = 0; at < text.length; at++) this.#bytes[this.#length++] = text.charCodeAt(at);
      }
      this.#bytes[this.#length++] = quote;
    }
    this.#bytes[this.#length++] = close;
  }

  /** A whole number from 0 to 2^53. */
  #digits(value: number): void {
    const bytes = this.#bytes;
    if (value < 10) {
      bytes[this.#length++] = 48 + value;
      return;
    }
    let count = 2;
    for (let limit = 100; value >= limit; limit *= 10) count++;
    let at = this.#length + count;
    this.#length = at;
    let rest = value;
    // Eight digits at a time are small integers, which divide several times as fast.
    while (rest >= 0x4000_0000) {
      const high = Math.floor(rest / 100_000_000);
      let low = (rest - high * 100_000_000) | 0;
      for (let pair = 0; pair < 4; pair++) {
        const hundreds = (low / 100) | 0;
        const two = digitPairs[low - hundreds * 100] ?? 0;
        bytes[--at] = two >> 8;
        bytes[--at] = two & 0xff;
        low = hundreds;
      }
      rest = high;
    }
    let small = rest | 0;
    while (small >= 10) {
      const hundreds = (small / 100) | 0;
      const two = digitPairs[small - hundreds * 100] ?? 0;
      bytes[--at] = two >> 8;
      bytes[--at] = two & 0xff;
      small = hundreds;
      if (small === 0) return;
    }
    bytes[--at] = 48 + small;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + count, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    // Half a gigabyte of these would wait for the collector in a large answer.
    this.#bytes.buffer.transfer(0);
    this.#bytes = larger;
  }
}

/** Of 0 to 99: the first digit's character below, the second one's above. */
const digitPairs = Uint16Array.from({ length: 100 }, (_, n) => 48 + Math.floor(n / 10) + ((48 + (n % 10)) << 8));
const [open = 0, close = 0, comma = 0, quote = 0] = new TextEncoder().encode('[],"');
const encoder = new TextEncoder();
