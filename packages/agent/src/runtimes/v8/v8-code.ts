import { isObject, type V8Heap } from './v8-heap.ts';
import { ownCopy } from '../process-memory.ts';
import { type Bytecode, readByteArray, readBytecode } from './bytecode.ts';
import { decodeSourcePosition, type SourcePosition } from './source-positions.ts';

/** What lies in front of instructions, and where they are. */
interface CodeRange {
  /** Of the instructions; end exclusive. */
  readonly start: number;
  readonly end: number;
  /** Address of the object in front of the instructions and the words it begins with, by which is told whether it is still there. */
  readonly stream: number;
  readonly header: Buffer;
}

/** One compiled piece of code. */
export interface V8Code extends CodeRange {
  /** Baseline code has the interpreter's bytecode; optimised code has inlined functions. */
  readonly isBaseline: boolean;
  /** Of baseline code: what it was made from. */
  readonly bytecode: Bytecode | undefined;
  /** See source-positions.ts; of baseline code the table of bytecodes. Undefined where it has none. */
  readonly positions: Uint8Array | undefined;
  /** The Code object, tagged. */
  readonly object: number;
  /** What the Code object says of its functions when it was last looked at: an array of them, or the bytecode. */
  functions: number | undefined;
  /** SharedFunctionInfo of the function itself. Baseline code does not say it: undefined until a frame has said whose it is. */
  shared: number | undefined;
  readonly inlined: readonly InlinedCall[];
  /** When `shared` and those of `inlined` were read: the memory's generation. */
  generation: number;
}

/** A call of a function that was compiled into its caller. */
interface InlinedCall {
  /** Where it is called from. */
  readonly position: SourcePosition;
  /** Index in the code's literals of what is called. */
  readonly literal: number;
  /** Of the called function: its SharedFunctionInfo. */
  shared: number | undefined;
}

type Rest = Pick<V8Code, 'positions' | 'functions' | 'shared' | 'inlined' | 'bytecode'>;

/** Instructions of one function; TurboFan gives up far below. */
const mostCodeBytes = 4 << 20;
/** How far in front of an instruction its function's code may begin. */
const mostScan = 1 << 20;
const scanBytes = 4096;
const mostInlined = 1024;
const headerBytes = 32;
const mostCodes = 8192;
/** Addresses that were taken for maps and are none. */
const mostOthers = 4096;
const mostBarePages = 1024;
/** Generations of memory, ten seconds of them, for which a page without code is believed to have none. */
const bareGenerations = 300;
/** No function's instructions are so long and zero; beyond the last of a space there is nothing else. */
const zeroPage = Buffer.alloc(scanBytes);
/** Of an entry of the inlining positions: a position, the index of a literal, and padding. */
const inliningBytes = 16;
/** In place of the index: the code's own function, inlined into itself (DeoptimizationData::GetInlinedFunction). */
const itself = -1;

/** Compiled code of one process. */
export class V8Codes {
  readonly #heap: V8Heap;
  /** Sorted by start. Of regular expressions, wrappers and the like only the range: they are no function's. */
  #codes: (V8Code | CodeRange)[] = [];
  /** The map of the objects in front of instructions, once one was seen. */
  readonly #streamMaps = new Set<number>();
  /** Words that point elsewhere. Maps of that kind are made with an isolate and stay. */
  readonly #otherMaps = new Set<number>();
  /** Where nothing was found, as WebAssembly's code: page to the generation of memory. */
  readonly #barePages = new Map<number, number>();

  constructor(heap: V8Heap) {
    this.#heap = heap;
  }

  /** The code of a function that holds `pc`; undefined where none is found. */
  find(pc: number): V8Code | undefined {
    const { memory } = this.#heap;
    const index = this.#indexOf(pc);
    const known = this.#codes[index];
    if (known !== undefined && pc >= known.start && pc < known.end) {
      if (memory.holds(known.stream, known.header) || memory.isGone) return this.#renewed(known);
      // It may well be the same.
      if (memory.isExhausted) return undefined;
      this.#codes.splice(index, 1);
    }
    const page = pc - (pc % scanBytes);
    const bareAt = this.#barePages.get(page);
    if (bareAt !== undefined && memory.generation - bareAt < bareGenerations) return undefined;
    const code = this.#scan(pc);
    if (code === undefined) {
      if (memory.isExhausted || memory.isGone) return undefined;
      if (this.#barePages.size >= mostBarePages) this.#barePages.clear();
      this.#barePages.set(page, memory.generation);
      return undefined;
    }
    if (code === 'none') return undefined;
    if (this.#codes.length >= mostCodes) this.#codes = [];
    // What overlaps was there before.
    this.#codes = this.#codes.filter((each) => each.end <= code.start || each.start >= code.end);
    this.#codes.splice(this.#indexOf(code.start) + 1, 0, code);
    return isFunctions(code) ? code : undefined;
  }

  /** Is it the code that it was when it named those functions, wherever the collector has moved them since? */
  isStill(code: V8Code, functions: number | undefined): boolean {
    const { memory, layout } = this.#heap;
    return (
      functions !== undefined &&
      memory.holds(code.stream, code.header) &&
      this.#heap.field(code.object, layout.code.deoptimization) === functions
    );
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

  /**
   * Looks backwards for the object whose instructions hold `pc`: it begins with a map of that kind and says how many they are. `none`: the code in front
   * ends before. Undefined where there is none near.
   */
  #scan(pc: number): V8Code | CodeRange | 'none' | undefined {
    const { memory } = this.#heap;
    for (let end = pc - (pc % 8) + 8; end > pc - mostScan;) {
      const start = end - (end % scanBytes || scanBytes);
      const bytes = memory.bytes(start, end - start);
      if (bytes === undefined || bytes.equals(zeroPage)) return undefined;
      for (let at = bytes.length - 8; at >= 0; at -= 8) {
        const low = bytes.readUInt32LE(at);
        if (low % 8 !== 1) continue;
        const map = bytes.readUInt32LE(at + 4) * 2 ** 32 + low;
        if (!this.#isStreamMap(map)) continue;
        const code = this.#read(start + at, pc);
        if (code !== undefined) return code;
      }
      end = start;
    }
    return undefined;
  }

  #isStreamMap(map: number): boolean {
    if (this.#streamMaps.has(map)) return true;
    // A process has one for each isolate, or one for all.
    if (!isObject(map) || this.#otherMaps.has(map) || this.#streamMaps.size >= 64) return false;
    const { memory, layout } = this.#heap;
    const meta =
      memory.uint16(map - 1 + layout.instanceType) === layout.types.stream ? this.#heap.field(map, 0) : undefined;
    if (meta !== undefined && isObject(meta)) {
      this.#streamMaps.add(map);
      return true;
    }
    if (memory.isExhausted) return false;
    if (this.#otherMaps.size >= mostOthers) this.#otherMaps.clear();
    this.#otherMaps.add(map);
    return false;
  }

  #read(stream: number, pc: number): V8Code | CodeRange | 'none' | undefined {
    const heap = this.#heap;
    const { code: layout, types } = heap.layout;
    const object = layout.isApart ? heap.object(stream + 1, 8, types.code) : stream + 1;
    if (object === undefined) return undefined;
    const start = stream + layout.header;
    if (layout.isApart && heap.field(object, layout.start) !== start) return undefined;
    const size = heap.int32(object, layout.size) ?? 0;
    if (size <= 0 || size > mostCodeBytes || pc < start) return undefined;
    if (pc >= start + size) return 'none';
    const header = ownCopy(heap.memory.bytes(stream, headerBytes));
    const flags = heap.int32(object, layout.flags);
    if (header === undefined || flags === undefined) return undefined;
    const range = { start, end: start + size, stream, header };
    const kind = flags & layout.kindMask;
    if (kind < layout.baseline) return range;
    const isBaseline = kind === layout.baseline;
    const rest = isBaseline ? this.#baseline(object) : this.#optimised(object);
    return { ...range, isBaseline, object, generation: heap.memory.generation, ...rest };
  }

  #baseline(object: number): Rest {
    const heap = this.#heap;
    const { code: layout } = heap.layout;
    const data = heap.field(object, layout.deoptimization);
    const table = heap.field(object, layout.positions);
    const bytecode = data === undefined ? undefined : readBytecode(heap, data, true);
    const positions = table === undefined ? undefined : readByteArray(heap, table, true);
    return { positions, bytecode, functions: data, shared: undefined, inlined: [] };
  }

  #optimised(object: number): Rest {
    const heap = this.#heap;
    const { code: layout, deoptimization } = heap.layout;
    const table = heap.field(object, layout.positions);
    const positions = table === undefined ? undefined : readByteArray(heap, table, true);
    const data = heap.field(object, layout.deoptimization);
    const calls = data === undefined || !isObject(data) ? undefined : this.#element(data, deoptimization.inlining);
    const inlining = (calls === undefined ? undefined : readByteArray(heap, calls, false)) ?? new Uint8Array();
    const inlined: InlinedCall[] = [];
    const count = Math.min(mostInlined, Math.floor(inlining.length / inliningBytes));
    for (let call = 0; call < count; call++) {
      const view = new DataView(inlining.buffer, inlining.byteOffset + call * inliningBytes, inliningBytes);
      inlined.push({
        position: decodeSourcePosition(view.getUint32(0, true) + (view.getUint32(4, true) & 0xffff) * 2 ** 32),
        literal: view.getInt32(8, true),
        shared: undefined,
      });
    }
    const functions = { functions: undefined, shared: undefined, inlined };
    this.#readFunctions(object, functions);
    return { positions, bytecode: undefined, ...functions };
  }

  /** The collector moves the objects of functions and leaves their code where it is: what code says of them holds until memory may have changed. */
  #renewed(code: V8Code | CodeRange): V8Code | undefined {
    const { memory } = this.#heap;
    if (!isFunctions(code)) return undefined;
    if (code.isBaseline || code.generation === memory.generation || memory.isGone) return code;
    this.#readFunctions(code.object, code);
    code.generation = memory.generation;
    return code;
  }

  /** Whose the code and its inlined calls are. What cannot be read stays as it was. */
  #readFunctions(object: number, code: Pick<V8Code, 'functions' | 'shared' | 'inlined'>): void {
    const heap = this.#heap;
    const { code: layout, deoptimization } = heap.layout;
    const data = heap.field(object, layout.deoptimization);
    if (data === undefined || !isObject(data)) return;
    code.functions = data;
    code.shared = this.#shared(this.#element(data, deoptimization.shared)) ?? code.shared;
    if (code.inlined.length === 0) return;
    const literals = this.#element(data, deoptimization.literals);
    const count = isObject(literals) ? (heap.smi(literals, 8) ?? 0) : 0;
    for (const call of code.inlined) {
      const isThere = call.literal >= 0 && call.literal < count;
      const called = isThere ? this.#shared(this.#element(literals, call.literal)) : undefined;
      call.shared = call.literal === itself ? code.shared : (called ?? call.shared);
    }
  }

  /** Of an array; 0 where it cannot be read. */
  #element(array: number, index: number): number {
    return this.#heap.field(array, 16 + 8 * index) ?? 0;
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

function isFunctions(code: V8Code | CodeRange): code is V8Code {
  return 'object' in code;
}
