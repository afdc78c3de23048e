import type { StringPart, V8Heap } from './v8-heap.ts';

/** Of a source whose lines are counted, in characters: bundles have some millions. */
const mostSource = 16 * 1024 * 1024;
/** Of a source: their starts take 4 bytes each. */
const mostLines = 1 << 20;
const newLine = 10;
const carriageReturn = 13;

/** A source file as V8 knows it. */
export interface V8Script {
  /** Path or URL; '' where it has none, like what `eval` was given. */
  readonly name: string;
  /** Characters before each line but the first; undefined where the source cannot be read. */
  readonly lineStarts: Uint32Array | undefined;
  /** Lines that the source lies below its file's first. */
  readonly lineOffset: number;
}

/** `word`: a Script. Undefined where it cannot be one, or its name cannot be read now. */
export function readV8Script(heap: V8Heap, word: number): V8Script | undefined {
  const { script, types } = heap.layout;
  if (heap.typeOf(word) !== types.script) return undefined;
  const nameWord = heap.field(word, script.name);
  const name = nameWord === undefined ? undefined : heap.textOrNone(nameWord);
  if (name === undefined) return undefined;
  const source = heap.field(word, script.source);
  const parts = source === undefined ? undefined : heap.parts(source, mostSource);
  return {
    name: name ?? '',
    lineStarts: parts === undefined ? undefined : lineStartsOf(parts),
    lineOffset: Math.max(0, heap.smi(word, script.lineOffset) ?? 0),
  };
}

/** From 1 on; 0 where it is not known. */
export function lineOf({ lineStarts, lineOffset }: V8Script, position: number): number {
  if (lineStarts === undefined || position < 0) return 0;
  let low = 0;
  let high = lineStarts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((lineStarts[middle] ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low + 1 + lineOffset;
}

/** Lines end as ECMAScript says: LF, CR, CR LF, U+2028 and U+2029. Undefined where there are too many. */
export function lineStartsOf(parts: readonly StringPart[]): Uint32Array | undefined {
  const starts = new LineStarts();
  for (const { bytes, isOneByte } of parts) {
    if (!isOneByte) starts.addUnits(unitsOf(bytes));
    else if (bytes.includes(carriageReturn)) starts.addUnits(bytes);
    else starts.addPlain(bytes);
    if (starts.count > mostLines) return undefined;
  }
  return starts.finish();
}

class LineStarts {
  #starts = new Uint32Array(1024);
  #base = 0;
  #endsWithReturn = false;
  count = 0;

  /** Lines of these end with LF only: the bundles of some megabytes, so the search is left to the platform. */
  addPlain(bytes: Buffer): void {
    let from = 0;
    if (this.#endsWithReturn && bytes[0] === newLine) {
      this.#starts[this.count - 1] = this.#base + 1;
      from = 1;
    }
    for (let at = bytes.indexOf(newLine, from); at >= 0; at = bytes.indexOf(newLine, at + 1)) {
      this.#push(this.#base + at + 1);
      if (this.count > mostLines) return;
    }
    this.#base += bytes.length;
    if (bytes.length > 0) this.#endsWithReturn = false;
  }

  addUnits(units: Uint8Array | Uint16Array): void {
    let wasReturn = this.#endsWithReturn;
    for (let at = 0; at < units.length; at++) {
      const unit = units[at] ?? 0;
      if (unit === newLine && wasReturn) this.#starts[this.count - 1] = this.#base + at + 1;
      else if (unit === newLine || unit === carriageReturn || unit === 0x2028 || unit === 0x2029)
        this.#push(this.#base + at + 1);
      wasReturn = unit === carriageReturn;
      if (this.count > mostLines) return;
    }
    this.#base += units.length;
    this.#endsWithReturn = wasReturn;
  }

  finish(): Uint32Array {
    return this.#starts.slice(0, this.count);
  }

  #push(start: number): void {
    if (this.count === this.#starts.length) {
      const grown = new Uint32Array(2 * this.count);
      grown.set(this.#starts);
      this.#starts = grown;
    }
    this.#starts[this.count++] = start;
  }
}

function unitsOf(bytes: Buffer): Uint16Array {
  // Buffers may begin at an odd byte.
  const copy = bytes.byteOffset % 2 === 0 ? bytes : Buffer.from(bytes);
  return new Uint16Array(copy.buffer, copy.byteOffset, copy.length >> 1);
}
