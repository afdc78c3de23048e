import type { PythonSymbols } from '@everflame/binary';

import { pythonByCall, pythonCframes, pythonShims } from '../../kernel/generated/abi.ts';
import type { PythonLineFormat } from './python-lines.ts';
import type { PythonTextLayout } from './python-text.ts';

/** What the kernel part needs to know: the fields of struct ef_python in bpf/abi.h, in its order from `flags` on. */
export interface PythonFrames {
  readonly flags: number;
  readonly indexShift: number;
  readonly interpreters: number;
  readonly interpreterNext: number;
  readonly interpreterThreads: number;
  readonly threadNext: number;
  readonly threadId: number;
  readonly threadFrame: number;
  readonly cframeFrame: number;
  readonly cframePrevious: number;
  readonly frameAt: number;
  readonly frameCode: number;
  readonly framePrevious: number;
  readonly framePlace: number;
  readonly frameMark: number;
  readonly codeFirst: number;
}

/** Where a code object has what, in bytes. */
export interface PythonCodeLayout {
  readonly file: number;
  readonly name: number;
  /** Undefined before 3.11: the plain name has to do. */
  readonly qualifiedName: number | undefined;
  readonly firstLine: number;
  readonly lines: number;
}

/** Where objects have what, as far as names of threads need it: bytes. */
export interface PythonObjectLayout {
  /** In a PyInterpreterState: sys.modules. */
  readonly modules: number;
  /** In a class that is written in Python (PyHeapTypeObject): the names of its instances' attributes. */
  readonly cachedKeys: number;
  /** How a table of keys tells its size. */
  readonly keys: 'sized' | 'logarithmic';
  /** Of an instance: a dict in it; an array of values and later a dict, at 32 and 24 in front of it; either at 24, odd if it is values; values behind it. */
  readonly attributes: 'dict' | 'values' | 'tagged' | 'inline';
  /** In an array of attributes' values: the first. */
  readonly valuesAt: number;
  /** An int's number of digits has three bits of something else below it. */
  readonly hasIntTag: boolean;
}

/** Where one build of CPython has what. */
export interface PythonLayout {
  readonly version: readonly [major: number, minor: number];
  /** `_PyRuntime`, the loop, and through which functions it calls itself: ELF virtual addresses. */
  readonly runtime: bigint;
  readonly loop: { readonly start: bigint; readonly end: bigint };
  readonly glue: PythonSymbols['glue'];
  readonly frames: PythonFrames;
  readonly code: PythonCodeLayout;
  readonly text: PythonTextLayout;
  readonly objects: PythonObjectLayout;
  readonly lineFormat: PythonLineFormat;
}

type Known = Omit<PythonLayout, 'version' | 'runtime' | 'loop' | 'glue'>;

/** PyFrameObject of 3.8 to 3.10 (Include/cpython/frameobject.h): f_back 24, f_code 32; f_lasti counts from the frame. */
const frameObject = { frameAt: 24, framePrevious: 0, frameCode: 8, frameMark: 0, codeFirst: 0 } as const;
const noCframe = { cframeFrame: 0, cframePrevious: 0 } as const;
const textTo311 = { length: 16, state: 32, ascii: 48, compact: 72 } as const;
const text = { length: 16, state: 32, ascii: 40, compact: 56 } as const;
const objectsTo310 = { keys: 'sized', attributes: 'dict', valuesAt: 0, hasIntTag: false } as const;
const codeTo310 = { file: 104, name: 112, qualifiedName: undefined, firstLine: 40, lines: 120 } as const;

const of38: Known = {
  frames: {
    flags: pythonByCall,
    indexShift: 1,
    interpreters: 32,
    interpreterNext: 0,
    interpreterThreads: 8,
    threadNext: 8,
    threadId: 176,
    threadFrame: 24,
    ...noCframe,
    ...frameObject,
    framePlace: 104,
  },
  code: codeTo310,
  text: textTo311,
  objects: { ...objectsTo310, modules: 56, cachedKeys: 872 },
  lineFormat: 'lnotab',
};

/**
 * By minor version of Python 3, for builds without Py_DEBUG and Py_TRACE_REFS on 64 bits. The structs are those of
 * Include/internal/pycore_runtime.h, pycore_interp.h, pycore_frame.h, Include/cpython/pystate.h and code.h; the numbers were read by gdb from builds of
 * 3.8.18, 3.9.18, 3.10.13, 3.11.7 and 3.12.1 with DWARF, and hold in their live processes (npm run test:runtimes).
 */
const known: Readonly<Record<number, Known>> = {
  8: of38,
  9: { ...of38, objects: { ...objectsTo310, modules: 856, cachedKeys: 864 } },
  10: {
    // From here on f_lasti counts instructions.
    frames: { ...of38.frames, indexShift: 0, framePlace: 96 },
    code: codeTo310,
    text: textTo311,
    objects: { ...objectsTo310, modules: 856, cachedKeys: 872 },
    lineFormat: 'ranges',
  },
  11: {
    frames: {
      flags: pythonCframes,
      indexShift: 0,
      interpreters: 40,
      interpreterNext: 0,
      interpreterThreads: 16,
      threadNext: 8,
      threadId: 152,
      threadFrame: 56,
      cframeFrame: 8,
      cframePrevious: 16,
      frameAt: 0,
      frameCode: 32,
      framePrevious: 48,
      framePlace: 56,
      frameMark: 68,
      codeFirst: 184,
    },
    code: { file: 112, name: 120, qualifiedName: 128, firstLine: 72, lines: 136 },
    text: textTo311,
    objects: {
      modules: 888,
      cachedKeys: 872,
      keys: 'logarithmic',
      attributes: 'values',
      valuesAt: 0,
      hasIntTag: false,
    },
    lineFormat: 'locations',
  },
  12: {
    frames: {
      flags: pythonCframes | pythonShims,
      indexShift: 0,
      interpreters: 40,
      interpreterNext: 0,
      interpreterThreads: 72,
      threadNext: 8,
      threadId: 136,
      threadFrame: 56,
      cframeFrame: 0,
      cframePrevious: 8,
      frameAt: 0,
      frameCode: 0,
      framePrevious: 8,
      framePlace: 56,
      frameMark: 70,
      codeFirst: 192,
    },
    code: { file: 112, name: 120, qualifiedName: 128, firstLine: 68, lines: 136 },
    text,
    objects: {
      modules: 944,
      cachedKeys: 880,
      keys: 'logarithmic',
      attributes: 'tagged',
      valuesAt: 0,
      hasIntTag: true,
    },
    lineFormat: 'locations',
  },
};

/** Offset in struct _Py_DebugOffsets of each 64-bit number of bytes that is read; groups begin with the size of their struct. */
const offsets313 = {
  interpreters: 40,
  interpreterNext: 64,
  interpreterThreads: 72,
  modules: 88,
  threadNext: 168,
  threadFrame: 184,
  threadId: 192,
  framePrevious: 232,
  frameCode: 240,
  framePlace: 248,
  frameMark: 264,
  file: 280,
  name: 288,
  qualifiedName: 296,
  lines: 304,
  firstLine: 312,
  codeFirst: 344,
  textState: 544,
  textLength: 552,
  textAscii: 560,
} as const;

type DebugOffset = keyof typeof offsets313;

/** Include/internal/pycore_debug_offsets.h of each version, by the C compiler's offsetof. */
const debugOffsets: Readonly<Record<number, Readonly<Record<DebugOffset, number>>>> = {
  13: offsets313,
  14: {
    interpreters: 40,
    interpreterNext: 64,
    interpreterThreads: 72,
    modules: 96,
    threadNext: 192,
    threadFrame: 208,
    threadId: 216,
    framePrevious: 256,
    frameCode: 264,
    framePlace: 272,
    frameMark: 288,
    file: 320,
    name: 328,
    qualifiedName: 336,
    lines: 344,
    firstLine: 352,
    codeFirst: 384,
    textState: 624,
    textLength: 632,
    textAscii: 640,
  },
};
/** In all of them. */
const versionAt = 8;
const freeThreadedAt = 16;
const cookie = 'xdebugpy';
/** Of the frame's head that the kernel part reads, bpf/maps.h. */
const frameBytes = 80;
/** Of a code object, with all that is read of it but its bytecode; the smallest code object has more. */
export const codeHeadBytes = 152;
const lastCodeField = codeHeadBytes - 7;
/** Of a str without its characters, and of a code object without its bytecode: more than they have in any version. */
const mostHeadBytes = 256;
const largestOffset = 0xffff;

/** Puts the layout of one build of CPython together, or says what stands against it: a version that is not known, or numbers that cannot be right. */
export function makePythonLayout({ version, runtime, loop, glue, runtimeHead }: PythonSymbols): PythonLayout | string {
  const [major, minor] = version;
  if (major !== 3) return `Python ${major}.${minor} is not known`;
  if (loop === undefined || loop.end <= loop.start) return 'its loop has no symbol';
  const offsets = debugOffsets[minor];
  const layout =
    offsets === undefined
      ? (known[minor] ?? `Python 3.${minor} is not known`)
      : byDebugOffsets(minor, offsets, runtimeHead);
  return typeof layout === 'string' ? layout : { ...layout, version, runtime, loop, glue };
}

/** From 3.13 on the runtime describes itself. */
function byDebugOffsets(
  minor: number,
  offsets: Readonly<Record<DebugOffset, number>>,
  head: Uint8Array | undefined,
): Known | string {
  if (head === undefined || Buffer.from(head.subarray(0, 8)).toString('latin1') !== cookie) {
    return 'its runtime does not begin with a description of itself';
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const wrong: string[] = [];
  const number = (at: number): number => Number(view.getBigUint64(at, true) % 2n ** 53n);
  const offset = (name: DebugOffset, below: number, multiple: number): number => {
    const value = number(offsets[name]);
    if (value < below && value % multiple === 0) return value;
    wrong.push(`${name} = ${value}`);
    return 0;
  };
  const told = number(versionAt);
  if (Math.floor(told / 2 ** 16) !== 3 * 256 + minor) return `its description is that of version ${told.toString(16)}`;
  if (number(freeThreadedAt) !== 0) return 'free-threaded builds are not known';
  const layout: Known = {
    frames: {
      flags: pythonShims,
      indexShift: 0,
      interpreters: offset('interpreters', largestOffset, 8),
      interpreterNext: offset('interpreterNext', largestOffset, 8),
      interpreterThreads: offset('interpreterThreads', largestOffset, 8),
      threadNext: offset('threadNext', largestOffset, 8),
      threadId: offset('threadId', largestOffset, 8),
      threadFrame: offset('threadFrame', largestOffset, 8),
      ...noCframe,
      frameAt: 0,
      frameCode: offset('frameCode', frameBytes, 8),
      framePrevious: offset('framePrevious', frameBytes, 8),
      framePlace: offset('framePlace', frameBytes, 8),
      frameMark: offset('frameMark', frameBytes, 1),
      codeFirst: offset('codeFirst', mostHeadBytes, 2),
    },
    code: {
      file: offset('file', lastCodeField, 8),
      name: offset('name', lastCodeField, 8),
      qualifiedName: offset('qualifiedName', lastCodeField, 8),
      firstLine: offset('firstLine', lastCodeField, 4),
      lines: offset('lines', lastCodeField, 8),
    },
    // What is no ASCII has utf8_length and utf8 in front of its characters.
    text: {
      length: offset('textLength', mostHeadBytes, 8),
      state: offset('textState', mostHeadBytes, 4),
      ascii: offset('textAscii', mostHeadBytes, 8),
      compact: offset('textAscii', mostHeadBytes, 8) + 16,
    },
    objects: {
      modules: offset('modules', largestOffset, 8),
      // What it does not tell of itself: Include/cpython/object.h and Include/internal/pycore_dict.h of 3.13 and 3.14.
      cachedKeys: 880,
      keys: 'logarithmic',
      attributes: 'inline',
      valuesAt: 8,
      hasIntTag: true,
    },
    lineFormat: 'locations',
  };
  return wrong.length > 0 ? `its description has ${wrong.join(', ')}` : layout;
}
