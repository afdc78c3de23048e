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

/** `word`: a Script. Undefined where it cannot be one. */
export function readV8Script(heap: V8Heap, word: number): V8Script | undefined {
  const { script, types } = heap.layout;
  if (heap.typeOf(word) !== types.script) return undefined;
  const name = heap.field(word, script.name);
  const source = heap.field(word, script.source);
  const parts = source === undefined ? undefined : heap.parts(source, mostSource);
  return {
    name: (name === undefined ? undefined : heap.text(name)) ?? '',
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

/** Lines end as ECMAScript says: LF, CR, CR LF, U+2028 and U+2029. */
function lineStartsOf(parts: readonly StringPart[]): Uint32Array | undefined {
  const starts: number[] = [];
  let at = 0;
  let wasReturn = false;
  for (const { bytes, isOneByte } of parts) {
    const units = isOneByte ? bytes : unitsOf(bytes);
    for (const unit of units) {
      at++;
      if (unit === newLine && wasReturn) starts[starts.length - 1] = at;
      else if (unit === newLine || unit === carriageReturn || unit === 0x2028 || unit === 0x2029) starts.push(at);
      wasReturn = unit === carriageReturn;
      if (starts.length > mostLines) return undefined;
    }
  }
  return Uint32Array.from(starts);
}

function unitsOf(bytes: Buffer): Uint16Array {
  // Buffers may begin at an odd byte.
  const copy = bytes.byteOffset % 2 === 0 ? bytes : Buffer.from(bytes);
  return new Uint16Array(copy.buffer, copy.byteOffset, copy.length >> 1);
}
