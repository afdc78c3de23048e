import { ownCopy } from '../process-memory.ts';
import { mostPositionBytes } from './source-positions.ts';
import { isObject, type V8Heap } from './v8-heap.ts';

/** Bytecode of one function. */
export interface Bytecode {
  readonly bytes: Uint8Array;
  /** See source-positions.ts; empty where V8 has not made the table. */
  readonly positions: Uint8Array;
}

/** V8 gives up on functions with so much. */
const mostBytes = 4 << 20;
const wide = 0;
const extraWide = 1;
const debugBreakWide = 2;
const debugBreakExtraWide = 3;

/** `word`: what a SharedFunctionInfo or baseline code has as its data. `withBytes`: for keeping, with the bytecodes themselves. Undefined where it leads to no bytecode. */
export function readBytecode(heap: V8Heap, word: number, withBytes: boolean): Bytecode | undefined {
  const { bytecode, types, code } = heap.layout;
  // Where there is baseline code, it holds the bytecode.
  const data = heap.typeOf(word) === types.code ? (heap.field(word, code.deoptimization) ?? 0) : word;
  if (heap.typeOf(data) !== types.bytecodeArray) return undefined;
  const length = heap.smi(data, 8) ?? 0;
  if (length <= 0 || length > mostBytes) return undefined;
  const bytes = withBytes ? ownCopy(heap.memory.bytes(data - 1 + bytecode.first, length)) : Buffer.alloc(0);
  const table = heap.field(data, bytecode.positions);
  const positions = table === undefined ? undefined : readByteArray(heap, table, withBytes);
  return bytes === undefined ? undefined : { bytes, positions: positions ?? Buffer.alloc(0) };
}

/** The bytes of an array of bytes, to be kept or for now; undefined where it is none, or an empty one. */
export function readByteArray(heap: V8Heap, word: number, isKept: boolean): Uint8Array | undefined {
  const length = isObject(word) ? heap.smi(word, 8) : undefined;
  if (length === undefined || length <= 0 || length > mostPositionBytes) return undefined;
  const bytes = heap.memory.bytes(word - 1 + 16, length);
  return isKept ? ownCopy(bytes) : bytes;
}

/**
 * Which bytecode the baseline code at `pc` bytes from its start was made from: its offset; undefined in front of the first and where the table
 * ends. The table (src/baseline/bytecode-offset-iterator.h) has the length of the code of the prologue and of each bytecode, in groups of 7 bits.
 * `sizes`: of all bytecodes, with operands of 1, 2 and 4 bytes.
 */
export function baselineOffset(
  table: Uint8Array,
  bytecode: Uint8Array,
  sizes: Uint8Array,
  pc: number,
): number | undefined {
  const count = sizes.length / 3;
  let at = 0;
  let end = 0;
  let offset: number | undefined;
  let next = 0;
  while (at < table.length) {
    let delta = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = table[at++] ?? 0;
      delta += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    end += delta;
    if (pc < end) return offset;
    offset = next;
    const first = bytecode[next];
    if (first === undefined) return undefined;
    let scale = 0;
    if (first === wide || first === debugBreakWide) scale = 1;
    else if (first === extraWide || first === debugBreakExtraWide) scale = 2;
    const code = scale === 0 ? first : (bytecode[next + 1] ?? 0);
    const size = code < count ? (sizes[scale * count + code] ?? 0) : 0;
    if (size === 0) return undefined;
    next += size + (scale === 0 ? 0 : 1);
  }
  return undefined;
}
