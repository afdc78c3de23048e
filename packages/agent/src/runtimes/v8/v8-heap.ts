import type { ProcessMemory } from '../process-memory.ts';
import type { V8Layout } from './v8-layout.ts';

const objectTag = 1;
const highestObject = 2 ** 47;
/** Of a name; longer ones are cut. */
const mostNameCharacters = 1024;
/** Parts of a string that was put together, one in another. */
const mostStringParts = 64;

/** What is asked of the memory that a heap lies in. */
export type HeapMemory = Pick<
  ProcessMemory,
  'load' | 'low' | 'high' | 'word' | 'uint16' | 'int32' | 'holds' | 'bytes' | 'isGone' | 'isExhausted' | 'generation'
>;

/** Characters of a string, as V8 keeps them. */
export interface StringPart {
  readonly bytes: Buffer;
  readonly isOneByte: boolean;
}

/**
 * Objects on V8's heap in another process. Nothing is believed: each object is asked for its kind before a field of it is used, every length has a
 * bound, and what does not fit is undefined.
 */
export class V8Heap {
  readonly layout: V8Layout;
  readonly memory: HeapMemory;

  constructor(layout: V8Layout, memory: HeapMemory) {
    this.layout = layout;
    this.memory = memory;
  }

  /** A field of an object; the object is a tagged pointer. */
  field(object: number, offset: number): number | undefined {
    return this.memory.word(object - objectTag + offset);
  }

  /** A field that is a small integer. */
  smi(object: number, offset: number): number | undefined {
    if (!this.memory.load(object - objectTag + offset) || this.memory.low !== 0) return undefined;
    return this.memory.high | 0;
  }

  int32(object: number, offset: number): number | undefined {
    return this.memory.int32(object - objectTag + offset);
  }

  /** A field that is an object of that kind. */
  object(object: number, offset: number, type: number): number | undefined {
    const value = this.field(object, offset);
    return value !== undefined && this.typeOf(value) === type ? value : undefined;
  }

  /** The kind of an object; -1 for what is none. */
  typeOf(word: number): number {
    if (!isObject(word)) return -1;
    const map = this.field(word, 0);
    if (map === undefined || !isObject(map)) return -1;
    return this.memory.uint16(map - objectTag + this.layout.instanceType) ?? -1;
  }

  isString(word: number): boolean {
    const type = this.typeOf(word);
    return type >= 0 && (type & this.layout.string.notStringMask) === 0;
  }

  /** A name; undefined for what is no string. */
  text(word: number, most = mostNameCharacters): string | undefined {
    const parts: string[] = [];
    let room = most;
    const isWhole = this.#walk(
      word,
      (part) => {
        const text = part.bytes.toString(part.isOneByte ? 'latin1' : 'utf16le').slice(0, room);
        room -= text.length;
        parts.push(text);
        return room > 0;
      },
      most,
    );
    return isWhole ? parts.join('') : undefined;
  }

  /** A name; null for what is no string, undefined for what cannot be read now, as when as much was read as is read at a time. */
  textOrNone(word: number): string | null | undefined {
    if (!isObject(word)) return null;
    if (this.typeOf(word) < 0) return undefined;
    return this.isString(word) ? this.text(word) : null;
  }

  /** The parts of a string in order; undefined where one cannot be read or it has more than `most` characters. */
  parts(word: number, most: number): readonly StringPart[] | undefined {
    const parts: StringPart[] = [];
    const length = this.isString(word) ? this.int32(word, this.layout.string.length) : undefined;
    if (length === undefined || length < 0 || length > most) return undefined;
    const isWhole = this.#walk(
      word,
      (part) => {
        parts.push(part);
        return true;
      },
      most,
    );
    return isWhole ? parts : undefined;
  }

  /** False where a part is no string or cannot be read. `take` answers whether it wants more. */
  #walk(root: number, take: (part: StringPart) => boolean, most: number): boolean {
    const { string } = this.layout;
    const waiting: { readonly word: number; readonly from: number; readonly count: number }[] = [
      { word: root, from: 0, count: most },
    ];
    for (let steps = 0; steps < mostStringParts; steps++) {
      const next = waiting.pop();
      if (next === undefined) return true;
      const { word, from, count } = next;
      const type = this.typeOf(word);
      const length = this.int32(word, string.length) ?? -1;
      if (type < 0 || (type & string.notStringMask) !== 0 || length < 0 || from < 0) return false;
      const wanted = Math.min(count, length - from);
      if (wanted <= 0) continue;
      const representation = type & string.representationMask;
      if (representation === string.cons) {
        const [first, second] = [this.field(word, string.first), this.field(word, string.second)];
        if (first === undefined || second === undefined) return false;
        const inFirst = this.int32(first, string.length) ?? 0;
        waiting.push({ word: second, from: Math.max(0, from - inFirst), count: wanted - Math.max(0, inFirst - from) });
        if (from < inFirst) waiting.push({ word: first, from, count: Math.min(wanted, inFirst - from) });
      } else if (representation === string.thin) {
        const actual = this.field(word, string.actual);
        if (actual === undefined) return false;
        waiting.push({ word: actual, from, count: wanted });
      } else if (representation === string.sliced) {
        const [parent, offset] = [this.field(word, string.parent), this.smi(word, string.offset)];
        if (parent === undefined || offset === undefined || offset < 0) return false;
        waiting.push({ word: parent, from: from + offset, count: wanted });
      } else {
        const isOneByte = (type & string.encodingMask) === string.oneByte;
        const size = isOneByte ? 1 : 2;
        // An external string keeps the address of its characters behind that of its resource.
        const start =
          representation === string.external ? this.field(word, string.resource + 8) : word - objectTag + string.chars;
        const bytes = start === undefined ? undefined : this.memory.bytes(start + from * size, wanted * size);
        if (bytes === undefined) return false;
        if (!take({ bytes, isOneByte })) return true;
      }
    }
    return false;
  }
}

export function isObject(word: number): boolean {
  return word % 8 === objectTag && word < highestObject;
}
