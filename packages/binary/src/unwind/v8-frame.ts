import type { UnwindMemory } from './unwind-memory.ts';
import type { UnwindState } from './unwind-state.ts';
import { unwindByFrameRecord, type UnwindStepOutcome } from './unwind-step.ts';
import { machines } from '../elf/elf-file.ts';

/** What is known of code of V8's. */
export interface V8Code {
  /** Where a JSFunction has its SharedFunctionInfo, in bytes. */
  readonly sharedOffset: number;
  /** The builtins, of which the interpreter is one; else code that was compiled at run time. */
  readonly holdsBuiltins: boolean;
  /** The process's own. */
  readonly memory: UnwindMemory;
}

/** A note of bpf/abi.h. */
export interface FrameNote {
  readonly low: number;
  readonly high: number;
}

export interface V8Step {
  readonly outcome: UnwindStepOutcome;
  readonly note: FrameNote | undefined;
  /** Where a builtin without a frame of its own was called from: a frame between it and `outcome`'s, to which the note belongs. */
  readonly caller: number | undefined;
}

/** EF_NOTE_… of bpf/abi.h. */
const noteInterpreted = 1;
const noteCompiled = 2;
const noPlace = 0x3ffff;

/** push rbp; mov rbp, rsp; push rsi; push rdi; push rax: see bpf/v8.h. */
const prologue = [0x55, 0x48, 0x89, 0xe5, 0x56, 0x57, 0x50] as const;
const ret = 0xc3;
const prologueWithin = 24;
const framelessWords = 4;
/** By DWARF number: rdi; r12 and r9. */
const functionRegister = 5;
const bytecodesRegister = 12;
const offsetRegister = 9;
/** No offset is in the header of the bytecode's object. */
const leastOffset = 39;
const highestObject = 2 ** 47;

/**
 * From a frame of V8's code to its caller: the twin of step_v8 in bpf/v8.h, rule by rule. `isCallerOfLeaf`: it has called the innermost frame, which
 * is no function's.
 */
export function unwindV8Frame(
  state: UnwindState,
  memory: UnwindMemory,
  code: V8Code,
  isCompiled: (address: number) => boolean,
  isCallerOfLeaf: boolean,
): V8Step {
  const frame = leafFrame(state, code);
  const isStarting = frame !== 'whole' && frame !== 'returning';
  const starting = isStarting ? (state.registers[functionRegister] ?? 0) : 0;
  if (frame === 'none' || frame === 'pushed' || frame === 'returning') {
    const { sp } = state;
    const words = wordsAt(memory, sp, 2);
    if (words === undefined) return { outcome: 'bad_read', note: undefined, caller: undefined };
    const [first = 0, second = 0] = words;
    const note = noteOf(code, starting, undefined);
    const pc = frame === 'pushed' ? second : first;
    if (frame === 'pushed') state.registers[state.architecture.fp] = first;
    state.registers[state.architecture.sp] = sp + (frame === 'pushed' ? 16 : 8);
    setCaller(state, pc);
    return { outcome: pc === 0 ? 'complete' : 'caller', note, caller: undefined };
  }
  const fp = state.known(state.architecture.fp);
  const window = fp === undefined || fp < state.sp ? undefined : wordsAt(memory, fp - 48, 8);
  if (fp === undefined || window === undefined) {
    return { outcome: unwindByFrameRecord(state, memory, false), note: undefined, caller: undefined };
  }
  const [, saved = 0, bytecodes = 0, , holder = 0, context = 0, savedFp = 0, returnAddress = 0] = window;
  const bytecodeOffset = code.holdsBuiltins ? bytecodeOffsetOf(state, bytecodes, saved, isCallerOfLeaf) : undefined;
  const held = isObject(context) ? holder : 0;
  const owner = starting === 0 ? held : starting;
  const caller = code.holdsBuiltins && isObject(owner) ? framelessCaller(state, memory, isCompiled) : undefined;
  const note =
    caller === undefined
      ? noteOf(code, owner, bytecodeOffset)
      : noteOf({ ...code, holdsBuiltins: false }, owner, undefined);
  const pc = state.architecture.machine === machines.aarch64 ? returnAddress % 2 ** 48 : returnAddress;
  if (pc === 0) return { outcome: 'complete', note, caller };
  state.registers[state.architecture.fp] = savedFp;
  state.registers[state.architecture.sp] = fp + 16;
  setCaller(state, pc);
  return { outcome: 'caller', note, caller };
}

/**
 * The interpreter writes its offset into the frame before it calls what may look at it; until then it is in a register: of the leaf where it is a
 * handler without a frame, of its caller where the handler has one.
 */
function bytecodeOffsetOf(
  state: UnwindState,
  bytecodes: number,
  saved: number,
  isCallerOfLeaf: boolean,
): number | undefined {
  const inRegister = state.registers[offsetRegister] ?? 0;
  const isInRegister =
    state.architecture.machine === machines.x86_64 &&
    (state.hasAll || isCallerOfLeaf) &&
    state.registers[bytecodesRegister] === bytecodes;
  if (isInRegister && inRegister >= leastOffset && inRegister < noPlace) return inRegister;
  // Small integers have their value in the upper half.
  return saved % 2 ** 32 === 0 ? Math.floor(saved / 2 ** 32) : undefined;
}

function framelessCaller(
  state: UnwindState,
  memory: UnwindMemory,
  isCompiled: (address: number) => boolean,
): number | undefined {
  if (!state.hasAll || state.architecture.machine !== machines.x86_64) return undefined;
  return wordsAt(memory, state.sp, framelessWords)?.find(
    (word) => word < highestObject && word >= 65_536 && isCompiled(word - 1),
  );
}

function setCaller(state: UnwindState, pc: number): void {
  state.pc = pc;
  state.isReturnAddress = true;
  state.hasAll = false;
  state.hasFp = true;
  state.hasLeafRegisters = false;
  state.isGuessed = false;
  state.hasRbx = false;
}

/** What a leaf has of its frame, told from the instructions that it is about to execute; `no_function`: its function is in a register only. */
type LeafFrame = 'none' | 'pushed' | 'no_function' | 'whole' | 'returning';

function leafFrame(state: UnwindState, { memory }: V8Code): LeafFrame {
  if (!state.hasAll || state.architecture.machine !== machines.x86_64) return 'whole';
  const bytes: number[] = [];
  for (const word of wordHalves(memory, state.pc)) for (let i = 0; i < 4; i++) bytes.push((word >>> (8 * i)) & 0xff);
  if (bytes.length === 0) return 'whole';
  const hasAt = (at: number, from: number, count: number): boolean =>
    prologue.slice(from, from + count).every((byte, i) => bytes[at + i] === byte);
  if (bytes[0] === ret) return 'returning';
  if (hasAt(0, 0, 1)) return 'none';
  if (hasAt(0, 1, 3)) return 'pushed';
  if (hasAt(0, 4, 2) || hasAt(0, 5, 2)) return 'no_function';
  for (let at = 1; at < prologueWithin; at++) if (hasAt(at, 0, prologue.length)) return 'none';
  return 'whole';
}

/** 64 bytes of code; none where they are not all there. */
function wordHalves(memory: UnwindMemory, address: number): readonly number[] {
  const halves: number[] = [];
  for (let i = 0; i < 8; i++) {
    if (!memory.load(address + 8 * i, 8)) return [];
    halves.push(memory.low, memory.high);
  }
  return halves;
}

function wordsAt(memory: UnwindMemory, address: number, count: number): readonly number[] | undefined {
  const words: number[] = [];
  for (let i = 0; i < count; i++) {
    if (!memory.load(address + 8 * i, 8)) return undefined;
    words.push(memory.high * 2 ** 32 + memory.low);
  }
  return words;
}

function isObject(word: number): boolean {
  return word % 8 === 1 && word < highestObject;
}

/** Compiled code has a note in any case, since it says itself whose it is. */
function noteOf(code: V8Code, holder: number, offset: number | undefined): FrameNote | undefined {
  const { sharedOffset, holdsBuiltins, memory } = code;
  const isRead = isObject(holder) && memory.load(holder - 1 + sharedOffset, 8);
  const read = isRead ? memory.high * 2 ** 32 + memory.low : 0;
  const shared = isObject(read) ? read : 0;
  if (holdsBuiltins && shared === 0) return undefined;
  const kind = offset === undefined ? noteCompiled : noteInterpreted;
  const place = offset === undefined || offset >= noPlace ? noPlace : offset;
  const object = Math.floor(shared / 8);
  // 44 bits of the object: 32 in the low word, 12 in the high one, where the place begins.
  const high = Math.floor(object / 2 ** 32) + place * 2 ** 12 + kind * 2 ** 30;
  return { low: object % 2 ** 32, high };
}
