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
}

/** EF_NOTE_… of bpf/abi.h. */
const noteInterpreted = 1;
const noteCompiled = 2;
const noPlace = 0x3ffff;

const push = 0x55;
const setFp = 0xe58948;
const ret = 0xc3;
/** By DWARF number: rdi; r12 and r9. */
const functionRegister = 5;
const bytecodesRegister = 12;
const offsetRegister = 9;
const highestObject = 2 ** 47;

/** From a frame of V8's code to its caller: the twin of step_v8 in bpf/v8.h, rule by rule. */
export function unwindV8Frame(state: UnwindState, memory: UnwindMemory, code: V8Code): V8Step {
  const leaf = leafWords(state, code);
  if (leaf !== undefined) {
    const { sp } = state;
    const words = wordsAt(memory, sp, 2);
    if (words === undefined) return { outcome: 'bad_read', note: undefined };
    const [first = 0, second = 0] = words;
    const note = leaf.hasReturned ? undefined : noteOf(code, state.registers[functionRegister] ?? 0, undefined);
    const pc = leaf.words === 1 ? second : first;
    if (leaf.words === 1) state.registers[state.architecture.fp] = first;
    state.registers[state.architecture.sp] = sp + 8 + 8 * leaf.words;
    setCaller(state, pc);
    return { outcome: pc === 0 ? 'complete' : 'caller', note };
  }
  const fp = state.known(state.architecture.fp);
  const window = fp === undefined || fp < state.sp ? undefined : wordsAt(memory, fp - 48, 8);
  if (fp === undefined || window === undefined) {
    return { outcome: unwindByFrameRecord(state, memory, false), note: undefined };
  }
  const [, saved = 0, bytecodes = 0, , holder = 0, context = 0, savedFp = 0, returnAddress = 0] = window;
  const bytecodeOffset = code.holdsBuiltins ? bytecodeOffsetOf(state, bytecodes, saved) : undefined;
  const note = isObject(context) ? noteOf(code, holder, bytecodeOffset) : undefined;
  const pc =
    state.architecture.machine === machines.aarch64 ? returnAddress % 2 ** 48 : returnAddress;
  if (pc === 0) return { outcome: 'complete', note };
  state.registers[state.architecture.fp] = savedFp;
  state.registers[state.architecture.sp] = fp + 16;
  setCaller(state, pc);
  return { outcome: 'caller', note };
}

/** The interpreter writes its offset into the frame before it calls; until then it is in a register. */
function bytecodeOffsetOf(state: UnwindState, bytecodes: number, saved: number): number | undefined {
  const inRegister = state.registers[offsetRegister] ?? 0;
  const isInRegister =
    state.architecture.machine === machines.x86_64 && state.hasAll && state.registers[bytecodesRegister] === bytecodes;
  if (isInRegister && inRegister < noPlace) return inRegister;
  // Small integers have their value in the upper half.
  return saved % 2 ** 32 === 0 ? Math.floor(saved / 2 ** 32) : undefined;
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

/** Words that a leaf without a frame of its own has on the stack; undefined where it has one. */
function leafWords(
  state: UnwindState,
  { memory }: V8Code,
): { readonly words: 0 | 1; readonly hasReturned: boolean } | undefined {
  if (!state.hasAll || state.architecture.machine !== machines.x86_64 || !memory.load(state.pc)) return undefined;
  const first = memory.low & 0xff;
  if (first === push || first === ret) return { words: 0, hasReturned: first === ret };
  return (memory.low & 0xffffff) === setFp ? { words: 1, hasReturned: false } : undefined;
}

function wordsAt(memory: UnwindMemory, address: number, count: number): readonly number[] | undefined {
  const words: number[] = [];
  for (let i = 0; i < count; i++) {
    if (!memory.load(address + 8 * i)) return undefined;
    words.push(memory.high * 2 ** 32 + memory.low);
  }
  return words;
}

function isObject(word: number): boolean {
  return word % 8 === 1 && word < highestObject;
}

function noteOf({ sharedOffset, memory }: V8Code, holder: number, offset: number | undefined): FrameNote | undefined {
  if (!isObject(holder) || !memory.load(holder - 1 + sharedOffset)) return undefined;
  const shared = memory.high * 2 ** 32 + memory.low;
  if (!isObject(shared)) return undefined;
  const kind = offset === undefined ? noteCompiled : noteInterpreted;
  const place = offset === undefined || offset >= noPlace ? noPlace : offset;
  const object = Math.floor(shared / 8);
  // 44 bits of the object: 32 in the low word, 12 in the high one, where the place begins.
  const high = Math.floor(object / 2 ** 32) + place * 2 ** 12 + kind * 2 ** 30;
  return { low: object % 2 ** 32, high };
}
