import { baselineOffset, readBytecode } from './bytecode.ts';
import { findSourcePosition } from './source-positions.ts';
import { type V8Code, V8Codes } from './v8-code.ts';
import { isSameFunction, readV8Function, type V8Function, V8Scripts } from './v8-function.ts';
import { type HeapMemory, V8Heap } from './v8-heap.ts';
import type { V8Layout } from './v8-layout.ts';
import { lineOf } from './v8-script.ts';

/** One function of a frame; the innermost of several inlined ones comes first. */
export interface FrameLine {
  readonly function: V8Function;
  /** 0: not known. */
  readonly line: number;
}

/** What a frame of V8's code shows. */
export interface V8Frame {
  readonly lines: readonly FrameLine[];
  /** The frame is that of the function's caller, too: the function has no frame of its own at this instruction. */
  readonly callerLines: readonly FrameLine[];
  /** Which code says so, and what it said of its functions; undefined where the bytecode runs itself. */
  readonly code: { readonly of: V8Code; readonly functions: number | undefined } | undefined;
  /** How often something compiled into it is not among the lines, since it could not be read. */
  readonly unnamed: number;
}

const mostFunctions = 65_536;
/** How deep inlined calls lie in one another. */
const mostDepth = 32;

/** Reads what a process of V8's runs: functions by their SharedFunctionInfo, compiled code by its address. */
export class V8Process {
  readonly #heap: V8Heap;
  readonly #scripts: V8Scripts;
  readonly #codes: V8Codes;
  readonly #flagBits: number;
  /** By SharedFunctionInfo; undefined: none of a script. */
  readonly #functions = new Map<number, V8Function>();

  constructor(layout: V8Layout, memory: HeapMemory) {
    this.#heap = new V8Heap(layout, memory);
    this.#scripts = new V8Scripts(this.#heap);
    this.#codes = new V8Codes(this.#heap);
    this.#flagBits = layout.positionFlagBits;
  }

  /** The function whose bytecode runs in the interpreter; `place`: the offset in its frame, undefined if not known. */
  interpreted(shared: number, place: number | undefined): V8Frame | undefined {
    const found = this.#function(shared);
    if (found === undefined) return undefined;
    return {
      lines: [{ function: found, line: this.#bytecodeLine(shared, found, place) }],
      callerLines: [],
      code: undefined,
      unnamed: 0,
    };
  }

  /** Would the frame be read as it was? `shared`: of the function whose frame it is, if there is one. */
  isStill({ code, lines, callerLines }: V8Frame, shared: number | undefined): boolean {
    if (code !== undefined && !this.#codes.isStill(code.of, code.functions)) return false;
    const holder = (callerLines[0] ?? lines.at(-1))?.function;
    return shared === undefined || (holder !== undefined && isSameFunction(this.#heap, shared, holder));
  }

  /** The functions whose compiled code holds `pc`; `shared`: of the function whose frame it is, if there is one. */
  compiled(pc: number, shared: number | undefined): V8Frame | undefined {
    const code = this.#codes.find(pc);
    const holder = shared === undefined ? undefined : this.#function(shared);
    if (code?.isBaseline === true && holder !== undefined) code.shared = shared;
    const own = code?.shared === undefined ? undefined : this.#function(code.shared);
    const source = code === undefined ? undefined : { of: code, functions: code.functions };
    // Moved by the collector before it was looked at: what is inlined in it is not known.
    if (code === undefined || own === undefined) {
      if (holder === undefined) return undefined;
      return { lines: [{ function: holder, line: 0 }], callerLines: [], code: source, unnamed: 1 };
    }
    if (code.isBaseline) {
      const lines = [{ function: own, line: this.#baselineLine(code, own, pc) }];
      return { lines, callerLines: [], code: source, unnamed: 0 };
    }
    const lines: FrameLine[] = [];
    let unnamed = 0;
    let position =
      code.positions === undefined ? undefined : findSourcePosition(code.positions, this.#flagBits, pc - code.start);
    for (let depth = 0; position !== undefined && position.inlining >= 0 && depth < mostDepth; depth++) {
      const call: (typeof code.inlined)[number] | undefined = code.inlined[position.inlining];
      const called = call?.shared === undefined ? undefined : this.#function(call.shared);
      if (called === undefined) unnamed++;
      else lines.push({ function: called, line: lineOf(called.script, position.offset) });
      position = call?.position;
    }
    lines.push({ function: own, line: position === undefined ? 0 : lineOf(own.script, position.offset) });
    const isCallers = holder !== undefined && code.shared !== shared;
    return { lines, callerLines: isCallers ? [{ function: holder, line: 0 }] : [], code: source, unnamed };
  }

  #function(shared: number): V8Function | undefined {
    const known = this.#functions.get(shared);
    if (known !== undefined && this.#heap.memory.isGone) return known;
    if (known !== undefined && known.isWhole && isSameFunction(this.#heap, shared, known)) return known;
    const found = readV8Function(this.#heap, this.#scripts, shared);
    if (this.#functions.size >= mostFunctions) this.#functions.clear();
    if (found === undefined) this.#functions.delete(shared);
    else this.#functions.set(shared, found);
    return found;
  }

  /** By the bytecode's own table: Node.js has V8 make it for every function (UseDetailedSourcePositionsForProfiling). */
  #bytecodeLine(shared: number, own: V8Function, place: number | undefined): number {
    const heap = this.#heap;
    const { bytecode, shared: fields } = heap.layout;
    if (place === undefined) return 0;
    const data = heap.field(shared, fields.data);
    const found = data === undefined ? undefined : readBytecode(heap, data, false);
    // The interpreter counts from the tagged pointer, over the header.
    const position =
      found === undefined
        ? undefined
        : findSourcePosition(found.positions, this.#flagBits, place - (bytecode.first - 1));
    return position === undefined ? 0 : lineOf(own.script, position.offset);
  }

  #baselineLine({ start, positions, bytecode }: V8Code, own: V8Function, pc: number): number {
    const sizes = this.#heap.layout.bytecodeSizes;
    if (positions === undefined || bytecode === undefined || sizes === undefined) return 0;
    const offset = baselineOffset(positions, bytecode.bytes, sizes, pc - start);
    const position = offset === undefined ? undefined : findSourcePosition(bytecode.positions, this.#flagBits, offset);
    return position === undefined ? 0 : lineOf(own.script, position.offset);
  }
}
