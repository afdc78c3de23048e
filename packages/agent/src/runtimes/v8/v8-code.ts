import { isObject, type V8Heap } from './v8-heap.ts';
import { type Bytecode, readByteArray, readBytecode } from './bytecode.ts';
import { decodeSourcePosition, type SourcePosition } from './source-positions.ts';

/** One compiled piece of code. */
export interface V8Code {
  /** Of its instructions; end exclusive. */
  readonly start: number;
  readonly end: number;
  /** Baseline code has the interpreter's bytecode; optimised code has inlined functions. */
  readonly isBaseline: boolean;
  /** Of baseline code: what it was made from. */
  readonly bytecode: Bytecode | undefined;
  /** Address of the object in front of the instructions and the words it begins with, by which is told whether it is still there. */
  readonly stream: number;
  readonly header: Buffer;
  /** See source-positions.ts; of baseline code the table of bytecodes. Undefined where it has none. */
  readonly positions: Uint8Array | undefined;
  /** SharedFunctionInfo of the function itself. Baseline code does not say it: undefined until a frame has said whose it is. */
  shared: number | undefined;
  /** Each inlined call: where it is called from, and the called function's SharedFunctionInfo. */
  readonly inlined: readonly { readonly position: SourcePosition; readonly shared: number | undefined }[];
}

/** Instructions of one function; TurboFan gives up far below. */
const mostCodeBytes = 4 << 20;
/** How far in front of an instruction its function's code may begin. */
const mostScan = 1 << 20;
const scanBytes = 4096;
const mostInlined = 1024;
const headerBytes = 32;
const mostCodes = 8192;
/** Of an entry of the inlining positions: a position, the index of a literal, and padding. */
const inliningBytes = 16;

/** Compiled code of one process. */
export class V8Codes {
  readonly #heap: V8Heap;
  /** Sorted by start. */
  #codes: V8Code[] = [];
  /** The map of the objects in front of instructions, once one was seen. */
  readonly #streamMaps = new Set<number>();

  constructor(heap: V8Heap) {
    this.#heap = heap;
  }

  /** The code that holds `pc`; undefined where none is found. */
  find(pc: number): V8Code | undefined {
    const index = this.#indexOf(pc);
    const known = this.#codes[index];
    if (known !== undefined && pc >= known.start && pc < known.end) {
      const header = this.#heap.memory.bytes(known.stream, headerBytes);
      if (header?.equals(known.header) === true || this.#heap.memory.isGone) return known;
      this.#codes.splice(index, 1);
    }
    const code = this.#scan(pc);
    if (code === undefined) return undefined;
    if (this.#codes.length >= mostCodes) this.#codes = [];
    // What overlaps was there before.
    this.#codes = this.#codes.filter((each) => each.end <= code.start || each.start >= code.end);
    this.#codes.splice(this.#indexOf(code.start) + 1, 0, code);
    return code;
  }

  /** Index of the last code that starts at or below; -1 for none. */
  #indexOf(pc: number): number {
    let low = 0;
    let high = this.#codes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#codes[middle]?.start ?? Infinity) <= pc) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Looks backwards for the object whose instructions hold `pc`: it begins with a map of that kind and says how many they are. */
  #scan(pc: number): V8Code | undefined {
    const { memory } = this.#heap;
    for (let end = pc - (pc % 8) + 8; end > pc - mostScan;) {
      const start = end - (end % scanBytes || scanBytes);
      const bytes = memory.bytes(start, end - start);
      if (bytes === undefined) return undefined;
      for (let at = bytes.length - 8; at >= 0; at -= 8) {
        const low = bytes.readUInt32LE(at);
        if (low % 8 !== 1) continue;
        const map = bytes.readUInt32LE(at + 4) * 2 ** 32 + low;
        if (!this.#isStreamMap(map)) continue;
        const code = this.#read(start + at, pc);
        if (code === 'other') return undefined;
        if (code !== undefined) return code;
      }
      end = start;
    }
    return undefined;
  }

  #isStreamMap(map: number): boolean {
    if (this.#streamMaps.has(map)) return true;
    const { layout } = this.#heap;
    // A process has one for each isolate, or one for all.
    if (!isObject(map) || this.#streamMaps.size >= 64) return false;
    const type = this.#heap.memory.bytes(map - 1 + layout.instanceType, 2)?.readUInt16LE(0);
    if (type !== layout.types.stream) return false;
    const meta = this.#heap.field(map, 0);
    if (meta === undefined || !isObject(meta)) return false;
    this.#streamMaps.add(map);
    return true;
  }

  /** `other`: there is code, and it ends before `pc` or is no function's. */
  #read(stream: number, pc: number): V8Code | 'other' | undefined {
    const heap = this.#heap;
    const { code: layout, types } = heap.layout;
    const object = layout.isApart ? heap.object(stream + 1, 8, types.code) : stream + 1;
    if (object === undefined) return undefined;
    const start = stream + layout.header;
    if (layout.isApart && heap.field(object, layout.start) !== start) return undefined;
    const size = heap.int32(object, layout.size) ?? 0;
    if (size <= 0 || size > mostCodeBytes || pc < start) return undefined;
    if (pc >= start + size) return 'other';
    const header = heap.memory.bytes(stream, headerBytes);
    const flags = heap.int32(object, layout.flags);
    if (header === undefined || flags === undefined) return undefined;
    const kind = flags & layout.kindMask;
    const isBaseline = kind === layout.baseline;
    const rest = isBaseline ? this.#baseline(object) : this.#optimised(object);
    // Of regular expressions, wrappers and the like: no function's.
    if (kind < layout.baseline) return 'other';
    return { start, end: start + size, isBaseline, stream, header, ...rest };
  }

  #baseline(object: number): Pick<V8Code, 'positions' | 'shared' | 'inlined' | 'bytecode'> {
    const heap = this.#heap;
    const { code: layout } = heap.layout;
    const data = heap.field(object, layout.deoptimization);
    const table = heap.field(object, layout.positions);
    const bytecode = data === undefined ? undefined : readBytecode(heap, data, true);
    const positions = table === undefined ? undefined : readByteArray(heap, table);
    return { positions, bytecode, shared: undefined, inlined: [] };
  }

  #optimised(object: number): Pick<V8Code, 'positions' | 'shared' | 'inlined' | 'bytecode'> {
    const heap = this.#heap;
    const { code: layout, deoptimization } = heap.layout;
    const table = heap.field(object, layout.positions);
    const positions = table === undefined ? undefined : readByteArray(heap, table);
    const data = heap.field(object, layout.deoptimization);
    if (data === undefined || !isObject(data))
      return { positions, bytecode: undefined, shared: undefined, inlined: [] };
    const element = (index: number): number => heap.field(data, 16 + 8 * index) ?? 0;
    const literals = element(deoptimization.literals);
    const inlining = readByteArray(heap, element(deoptimization.inlining)) ?? new Uint8Array();
    const inlined: V8Code['inlined'][number][] = [];
    const calls = Math.min(mostInlined, Math.floor(inlining.length / inliningBytes));
    const count = isObject(literals) ? (heap.smi(literals, 8) ?? 0) : 0;
    for (let call = 0; call < calls; call++) {
      const view = new DataView(inlining.buffer, inlining.byteOffset + call * inliningBytes, inliningBytes);
      const literal = view.getInt32(8, true);
      const shared = literal >= 0 && literal < count ? heap.field(literals, 16 + 8 * literal) : undefined;
      inlined.push({
        position: decodeSourcePosition(view.getBigUint64(0, true)),
        shared: shared === undefined ? undefined : this.#shared(shared),
      });
    }
    return { positions, bytecode: undefined, shared: this.#shared(element(deoptimization.shared)), inlined };
  }

  /** A SharedFunctionInfo, which may be wrapped. */
  #shared(word: number): number | undefined {
    const heap = this.#heap;
    const { types } = heap.layout;
    const type = heap.typeOf(word);
    if (type === types.sharedFunctionInfo) return word;
    return type >= 0 && type === types.sharedWrapper ? heap.object(word, 8, types.sharedFunctionInfo) : undefined;
  }
}
