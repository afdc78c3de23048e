import type { V8Symbols } from '@everflame/binary';

/** Where V8 has what, in bytes from the start of an object, and the numbers by which it tells its kinds of objects. */
export interface V8Layout {
  readonly version: readonly [major: number, minor: number];
  readonly builtins: { readonly start: bigint; readonly end: bigint };
  readonly instanceType: number;
  readonly types: {
    readonly bytecodeArray: number;
    readonly code: number;
    /** What lies in front of instructions. */
    readonly stream: number;
    readonly scopeInfo: number;
    readonly script: number;
    readonly sharedFunctionInfo: number;
    /** Of which a SharedFunctionInfo may be wrapped in; -1 before there was one. */
    readonly sharedWrapper: number;
  };
  readonly functionShared: number;
  readonly shared: { readonly data: number; readonly name: number; readonly script: number };
  readonly script: {
    readonly source: number;
    readonly name: number;
    readonly lineOffset: number;
    readonly lineEnds: number;
  };
  readonly scopeInfo: {
    readonly localCount: number;
    readonly firstLocal: number;
    /** Of its first and last character in the script, where it lies before the locals. */
    readonly position: number | undefined;
  };
  readonly string: {
    readonly notStringMask: number;
    readonly representationMask: number;
    readonly encodingMask: number;
    readonly oneByte: number;
    readonly cons: number;
    readonly external: number;
    readonly sliced: number;
    readonly thin: number;
    readonly length: number;
    readonly chars: number;
    readonly first: number;
    readonly second: number;
    readonly parent: number;
    readonly offset: number;
    readonly actual: number;
    readonly resource: number;
  };
  readonly bytecode: { readonly positions: number; readonly first: number };
  /** See findSourcePosition. */
  readonly positionFlagBits: number;
  /** See baselineOffset; undefined where the program's symbols do not tell. */
  readonly bytecodeSizes: Uint8Array | undefined;
  readonly code: {
    /** Bytes of the header in front of the instructions. */
    readonly header: number;
    /** Code is an object of its own, to which the stream points. */
    readonly isApart: boolean;
    readonly start: number;
    readonly size: number;
    readonly flags: number;
    readonly deoptimization: number;
    readonly positions: number;
    readonly kindMask: number;
    readonly baseline: number;
  };
  /** Indices of the array of deoptimization data. */
  readonly deoptimization: { readonly literals: number; readonly shared: number; readonly inlining: number };
}

/**
 * What `v8dbg_*` does not tell, by the first version for which it holds. V8's src/objects: code.h, code.tq (10.2 to 13.x), instruction-stream.h, bytecode-array.tq,
 * script.tq; checked on Node.js 18 to 26.
 */
const untold = [
  {
    from: [10, 0],
    header: 128,
    isApart: false,
    start: 0,
    size: 40,
    flags: 48,
    deoptimization: 16,
    positions: 24,
    bytecodePositions: 32,
    flagBits: 1,
  },
  {
    from: [11, 0],
    header: 16,
    isApart: true,
    start: 40,
    size: 56,
    flags: 48,
    deoptimization: 16,
    positions: 24,
    bytecodePositions: 32,
    flagBits: 1,
  },
  {
    from: [12, 0],
    header: 32,
    isApart: true,
    start: 40,
    size: 52,
    flags: 48,
    deoptimization: 8,
    positions: 16,
    bytecodePositions: 24,
    flagBits: 1,
  },
  {
    from: [14, 0],
    header: 32,
    isApart: true,
    start: 40,
    size: 52,
    flags: 48,
    deoptimization: 8,
    positions: 16,
    bytecodePositions: 24,
    flagBits: 2,
  },
] as const;
const newestMajor = 14;
const scriptLineOffset = 24;

/** Of frames (src/execution/frame-constants.h): the kernel part has them as numbers. */
const frameOffsets: Readonly<Record<string, number>> = {
  off_fp_context_or_frame_type: -8,
  off_fp_function: -16,
  off_fp_bytecode_array: -32,
  off_fp_bytecode_offset: -40,
  SmiTagMask: 1,
  HeapObjectTag: 1,
};
/** No field lies further from the start of its object. */
const largestOffset = 248;

/** Puts the layout of one build of V8 together, or says what stands against it: a version that is not known, or numbers that cannot be right. */
export function makeV8Layout({ version, constants, builtins, bytecodeSizes }: V8Symbols): V8Layout | string {
  const [major, minor] = version;
  const rest = untold.findLast(({ from }) => major >= from[0]);
  if (rest === undefined || major > newestMajor) return `V8 ${major}.${minor} is not known`;
  if (builtins === undefined) return 'the symbols of its builtins are stripped';
  const missing: string[] = [];
  const first = (test: (name: string) => boolean, what: string): number => {
    for (const [name, value] of constants) if (test(name)) return value;
    missing.push(what);
    return 0;
  };
  const constant = (name: string): number => first((each) => each === name, name);
  /** The type behind the last `__` of a name differs from version to version. */
  const field = (owner: string, ...names: readonly string[]): number => {
    const value = first(
      (each) => names.some((name) => each.startsWith(`class_${owner}__${name}__`)),
      `${owner}.${names.join('|')}`,
    );
    if (value < 0 || value > largestOffset || value % (names[0] === 'length' ? 4 : 8) !== 0)
      missing.push(`${owner}.${names[0]} = ${value}`);
    return value;
  };
  const type = (name: string): number => first((each) => each.startsWith(`type_${name}__`), name);
  for (const [name, value] of Object.entries(frameOffsets)) {
    if (constant(name) !== value) missing.push(`${name} = ${constant(name)}`);
  }
  const index = (name: string, otherwise: number): number =>
    constants.get(`DeoptimizationData${name}Index`) ?? otherwise;
  const localCount = 8 + 8 * constant('scopeinfo_idx_ncontextlocals');
  const firstLocal = 8 + 8 * constant('scopeinfo_idx_first_vars');
  const layout: V8Layout = {
    version,
    builtins,
    bytecodeSizes,
    positionFlagBits: rest.flagBits,
    instanceType: 12,
    types: {
      bytecodeArray: type('BytecodeArray'),
      code: type('Code'),
      stream: rest.isApart ? type('InstructionStream') : type('Code'),
      scopeInfo: type('ScopeInfo'),
      script: type('Script'),
      sharedFunctionInfo: type('SharedFunctionInfo'),
      sharedWrapper: constants.get('type_SharedFunctionInfoWrapper__SHARED_FUNCTION_INFO_WRAPPER_TYPE') ?? -1,
    },
    functionShared: field('JSFunction', 'shared'),
    shared: {
      data: 8,
      name: field('SharedFunctionInfo', 'name_or_scope_info'),
      script: field('SharedFunctionInfo', 'script', 'raw_script', 'script_or_debug_info'),
    },
    script: {
      source: field('Script', 'source'),
      name: field('Script', 'name'),
      lineOffset: scriptLineOffset,
      lineEnds: field('Script', 'line_ends'),
    },
    scopeInfo: { localCount, firstLocal, position: firstLocal - localCount > 8 ? localCount + 8 : undefined },
    string: {
      notStringMask: constant('IsNotStringMask') & 0xffff,
      representationMask: constant('StringRepresentationMask'),
      encodingMask: constant('StringEncodingMask'),
      oneByte: constant('OneByteStringTag'),
      cons: constant('ConsStringTag'),
      external: constant('ExternalStringTag'),
      sliced: constant('SlicedStringTag'),
      thin: constant('ThinStringTag'),
      length: field('String', 'length'),
      chars: field('SeqOneByteString', 'chars'),
      first: field('ConsString', 'first'),
      second: field('ConsString', 'second'),
      parent: field('SlicedString', 'parent'),
      offset: field('SlicedString', 'offset'),
      actual: field('ThinString', 'actual'),
      resource: field('ExternalString', 'resource'),
    },
    bytecode: {
      positions: rest.bytecodePositions,
      first: first((each) => each.startsWith('class_BytecodeArray__data__'), 'BytecodeArray.data'),
    },
    code: {
      header: rest.header,
      isApart: rest.isApart,
      start: rest.start,
      size: constants.get('class_Code__instruction_size__int') ?? rest.size,
      flags: constants.get('class_Code__flags__uint32_t') ?? rest.flags,
      deoptimization: rest.deoptimization,
      positions: rest.positions,
      kindMask: constant('CodeKindFieldMask'),
      baseline: constant('CodeKindBaseline'),
    },
    deoptimization: {
      literals: index('LiteralArray', 2),
      shared: index('WrappedSharedFunctionInfo', index('SharedFunctionInfo', 6)),
      inlining: index('InliningPositions', 7),
    },
  };
  return missing.length > 0 ? `its symbols lack or contradict ${missing.join(', ')}` : layout;
}
