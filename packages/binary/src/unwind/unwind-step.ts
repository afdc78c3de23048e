import { machines } from '../elf/elf-file.ts';
import {
  unwindArm64UcontextRegs,
  unwindExtUnitAarch64,
  unwindFlagGo,
  unwindFlagTracksRbx,
  unwindI386SigcontextDi,
  unwindKindDerefFp,
  unwindKindDerefSp,
  unwindKindExt,
  unwindKindFp,
  unwindKindFpFrame,
  unwindKindIndexed,
  unwindKindLr,
  unwindKindPlt,
  unwindKindRaReg,
  unwindKindReg,
  unwindKindSignal,
  unwindKindSp,
  unwindKindStop,
  unwindRuleAtCfa,
  unwindRuleAtFp,
  unwindRuleAtReg,
  unwindRuleInReg,
  unwindRuleSame,
  unwindRuleSameRaAtCfa,
  unwindX86UcontextGregs,
} from './generated/unwind-abi.ts';
import type { UnwindMemory } from './unwind-memory.ts';
import type { UnwindState } from './unwind-state.ts';
import type { UnwindRows } from './unwind-table.ts';

/**
 * What became of one step: `caller` (the state is now the caller's), `complete` (the stack ends with this frame), `gap` (no row), `bad_read`
 * (the stack could not be read there), `lost_register` (the row counts from a register that is not known here), `stack_order` (the caller's
 * stack pointer would not be above), `zero_return` (the return address is 0).
 */
export type UnwindStepOutcome =
  | 'caller'
  | 'complete'
  | 'gap'
  | 'bad_read'
  | 'lost_register'
  | 'stack_order'
  | 'zero_return';

/** struct sigcontext, arch/x86/include/uapi/asm/sigcontext.h: its registers in DWARF's numbers; 16 is the instruction pointer. */
const x86SignalOrder = [8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16];
const instructionPointer = 16;
/** struct sigcontext_32, same file: di, si, bp, sp, bx, dx, cx, ax, trapno, err, ip. */
const i386SignalOrder = [5, 4, 6, 7, 3, 1, 2, 0, undefined, undefined, instructionPointer];

/** A frame larger than this is not believed where its register is a guess. */
const widestLeafGuess = 1024 * 1024;

/** The offset of the return address or of rbx in a row's extension; `noThird` without one. */
const noThird = -0x1_0000;

/**
 * Goes from a frame to its caller by the row at `element` of `table`. These are the rules that the kernel part follows, word for word;
 * the same vectors run through both.
 */
export function unwindStep(
  table: UnwindRows,
  element: number,
  state: UnwindState,
  memory: UnwindMemory,
): UnwindStepOutcome {
  const word = table.word(element * 2);
  let operand = table.word(element * 2 + 1);
  let kind = (word >>> 16) & 0xf;
  let argument = (word >>> 20) & 0xf;
  const rule = (word >>> 24) & 0xf;
  const register = word >>> 28;
  let cfaOff = operand & 0xffff;
  let third = noThird;
  if (kind === unwindKindExt) {
    kind = argument;
    argument = 0;
    cfaOff = table.word(operand * 2) | 0;
    const high = table.word(operand * 2 + 1);
    third = high >> 16;
    operand = high << 16;
  } else if (kind >= unwindKindIndexed && kind <= unwindKindReg) {
    cfaOff = (cfaOff << 16) >> 16;
  }
  if (kind === unwindKindStop) return 'complete';
  if (kind === unwindKindFpFrame) return unwindByFrameRecord(state, memory, (table.flags & unwindFlagGo) !== 0);
  if (kind === unwindKindSignal) return unwindSignalFrame(state, memory, cfaOff);

  const { sp } = state;
  const { wordBytes } = state.architecture;
  let cfa: number;
  let isOrdered = true;
  let isGuessed = false;
  if (kind === unwindKindSp || kind === unwindKindLr || kind === unwindKindRaReg) cfa = sp + cfaOff;
  else if (kind === unwindKindPlt) cfa = sp + ((state.pc & 15) >= argument ? 2 * wordBytes : wordBytes);
  else if (kind === unwindKindIndexed || kind === unwindKindDerefSp || kind === unwindKindDerefFp) {
    const base = kind === unwindKindDerefFp ? state.known(state.architecture.fp) : sp;
    const index = kind === unwindKindIndexed ? state.known(register) : 0;
    if (base === undefined || index === undefined) return 'lost_register';
    if (!memory.load(base + cfaOff + 8 * index, wordBytes)) return 'bad_read';
    cfa = word64(memory) + 8 * argument;
  } else if (kind === unwindKindFp || kind === unwindKindReg) {
    const base = state.known(kind === unwindKindFp ? state.architecture.fp : register);
    if (base !== undefined) {
      cfa = base + cfaOff;
      isOrdered = kind === unwindKindFp;
    } else {
      if (kind === unwindKindFp || !state.hasLeafRegisters) return 'lost_register';
      cfa = (state.registers[register] ?? 0) + cfaOff;
      if (!(cfa > sp && cfa <= sp + widestLeafGuess && cfa % wordBytes === 0)) return 'lost_register';
      isGuessed = true;
    }
  } else return 'gap';

  const isX86 = state.architecture.machine !== machines.aarch64;
  // A frame whose return address is in a register needs no stack: a leaf of AArch64, vfork.
  if (isOrdered && (isX86 && kind !== unwindKindRaReg ? cfa <= sp : cfa < sp)) return 'stack_order';
  // In an extension of AArch64, both offsets count words.
  const unit = isX86 || third === noThird ? 1 : unwindExtUnitAarch64;
  const fpOff = (operand >> 16) * unit;
  let pc: number | undefined;
  if (kind === unwindKindRaReg) {
    pc = state.known(register);
    if (pc === undefined) return 'lost_register';
  } else if (isX86) {
    if (!memory.load(cfa - wordBytes, wordBytes)) return 'bad_read';
    pc = word64(memory);
  } else if (kind === unwindKindLr || third === 0) {
    if (!state.hasAll) return 'lost_register';
    pc = state.registers[state.architecture.ra] ?? 0;
  } else {
    const savedAt = third === noThird ? (rule === unwindRuleSameRaAtCfa ? fpOff : fpOff + 8) : third * unit;
    if (!memory.load(cfa + savedAt, wordBytes)) return 'bad_read';
    pc = codeAddress(memory);
  }
  if (pc === 0) return 'zero_return';
  restoreFp(state, memory, rule, register, cfa, fpOff);
  if (isX86) restoreRbx(state, memory, cfa, (table.flags & unwindFlagTracksRbx) !== 0, third);
  state.registers[state.architecture.sp] = cfa;
  state.pc = pc;
  state.isReturnAddress = true;
  state.hasLeafRegisters = state.hasAll;
  state.hasAll = false;
  state.isGuessed = isGuessed;
  return 'caller';
}

/** A frame pointer that cannot be restored is unknown from here on: most callers do not need it. */
function restoreFp(
  state: UnwindState,
  memory: UnwindMemory,
  rule: number,
  register: number,
  cfa: number,
  fpOff: number,
): void {
  const { fp } = state.architecture;
  if (rule === unwindRuleSame || rule === unwindRuleSameRaAtCfa) return;
  if (rule === unwindRuleInReg) {
    setFp(state, state.known(register));
    return;
  }
  let base: number | undefined;
  if (rule === unwindRuleAtCfa) base = cfa;
  else if (rule === unwindRuleAtFp) base = state.known(fp);
  else if (rule === unwindRuleAtReg) base = state.known(register);
  setFp(
    state,
    base !== undefined && memory.load(base + fpOff, state.architecture.wordBytes) ? word64(memory) : undefined,
  );
}

function setFp(state: UnwindState, value: number | undefined): void {
  state.hasFp = value !== undefined;
  state.registers[state.architecture.fp] = value ?? 0;
}

/** A table that follows rbx says in an extension where it was saved; in any other, whoever calls has an unknown one. */
function restoreRbx(state: UnwindState, memory: UnwindMemory, cfa: number, isTracked: boolean, third: number): void {
  const { rbx } = state.architecture;
  if (!isTracked) state.hasRbx = false;
  else if (third !== noThird && third !== 0) {
    state.hasRbx = memory.load(cfa + third, state.architecture.wordBytes);
    state.registers[rbx] = state.hasRbx ? word64(memory) : 0;
  }
}

/**
 * The chain of frame records: at FP the caller's FP, a word above the return address. FP 0 ends it. Go's goes from a system stack to
 * the goroutine's, wherever that lies; all others grow.
 */
export function unwindByFrameRecord(state: UnwindState, memory: UnwindMemory, mayJump: boolean): UnwindStepOutcome {
  const fp = state.known(state.architecture.fp);
  if (fp === undefined) return 'lost_register';
  if (fp === 0) return 'complete';
  if (!mayJump && fp < state.sp) return 'stack_order';
  const { wordBytes } = state.architecture;
  if (!memory.load(fp, wordBytes)) return 'bad_read';
  const callerFp = word64(memory);
  if (!memory.load(fp + wordBytes, wordBytes)) return 'bad_read';
  const pc = codeAddressOf(state, memory);
  if (pc === 0) return 'complete';
  state.registers[state.architecture.fp] = callerFp;
  state.registers[state.architecture.sp] = fp + 2 * wordBytes;
  state.pc = pc;
  state.isReturnAddress = true;
  state.hasAll = false;
  state.hasLeafRegisters = false;
  state.isGuessed = false;
  state.hasRbx = false;
  return 'caller';
}

/** `at`: of the saved registers, relative to SP; i386 alone has two places for them. */
function unwindSignalFrame(state: UnwindState, memory: UnwindMemory, at: number): UnwindStepOutcome {
  const { registers, sp } = state;
  if (state.architecture.machine === machines.x86_64) {
    for (const [i, register] of x86SignalOrder.entries()) {
      if (!memory.load(sp + unwindX86UcontextGregs + 8 * i, 8)) return 'bad_read';
      if (register === instructionPointer) state.pc = word64(memory);
      else registers[register] = word64(memory);
    }
  } else if (state.architecture.machine === machines.i386) {
    for (const [i, register] of i386SignalOrder.entries()) {
      if (!memory.load(sp + at + unwindI386SigcontextDi + 4 * i, 4)) return 'bad_read';
      if (register === instructionPointer) state.pc = word64(memory);
      else if (register !== undefined) registers[register] = word64(memory);
    }
  } else {
    for (let i = 0; i <= 32; i++) {
      if (!memory.load(sp + unwindArm64UcontextRegs + 8 * i, 8)) return 'bad_read';
      if (i === 32) state.pc = word64(memory);
      else registers[i] = i === state.architecture.ra ? codeAddress(memory) : word64(memory);
    }
  }
  state.isReturnAddress = false;
  state.isGuessed = false;
  state.hasAll = true;
  state.hasFp = true;
  state.hasRbx = true;
  return 'caller';
}

function word64(memory: UnwindMemory): number {
  return memory.high * 2 ** 32 + memory.low;
}

/** AArch64 signs return addresses in the bits above the address (pointer authentication); a program has 48 of them. */
function codeAddress(memory: UnwindMemory): number {
  return (memory.high & 0xffff) * 2 ** 32 + memory.low;
}

function codeAddressOf(state: UnwindState, memory: UnwindMemory): number {
  return state.architecture.machine === machines.aarch64 ? codeAddress(memory) : word64(memory);
}
