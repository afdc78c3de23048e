import { cfaKinds, type CfaState, type SaveRule, saveKinds } from './cfa-state.ts';
import type { CfiCursor } from './cfi-cursor.ts';
import { rowNumberOf, type UnwindArchitecture } from './unwind-architecture.ts';

// DWARF 5, 7.7.1. Expressions are matched by shape, not evaluated: those that exist are few, and a kernel program has to follow them.
const op = {
  deref: 0x06,
  and: 0x1a,
  mul: 0x1e,
  plus: 0x22,
  plusUconst: 0x23,
  shl: 0x24,
  ge: 0x2a,
  lit0: 0x30,
  lit2: 0x32,
  lit3: 0x33,
  lit8: 0x38,
  lit15: 0x3f,
  breg0: 0x70,
  breg31: 0x8f,
  bregx: 0x92,
} as const;

/** The register of the last DW_OP_breg that `readRegisterOffset` read; a field instead of a pair for each of a million rows. */
let register = 0;

/** Reads DW_OP_breg<n> or DW_OP_bregx into `register`; the answer is the offset, undefined where another operation stands there. */
function readRegisterOffset(cursor: CfiCursor, architecture: UnwindArchitecture): number | undefined {
  const code = cursor.u8();
  if (code >= op.breg0 && code <= op.breg31) register = code - op.breg0;
  else if (code === op.bregx) register = cursor.uleb();
  else return undefined;
  register = rowNumberOf(architecture, register);
  const offset = cursor.sleb();
  return cursor.failed ? undefined : offset;
}

/** Reads the operand of DW_CFA_def_cfa_expression: its length and as many bytes. */
export function readCfaExpression(cursor: CfiCursor, state: CfaState, architecture: UnwindArchitecture): void {
  const length = cursor.uleb();
  const from = cursor.at;
  const outerEnd = cursor.end;
  cursor.skip(length);
  if (cursor.failed) return;
  const end = cursor.at;
  cursor.seek(from, end);
  state.kind = cfaKinds.unsupported;
  const offset = readRegisterOffset(cursor, architecture);
  if (offset !== undefined) {
    state.register = register;
    state.offset = offset;
    state.argument = 0;
    if (cursor.at === end) state.kind = cfaKinds.register;
    else if (cursor.bytes[cursor.at] === op.deref) {
      cursor.skip(1);
      if (matchAddend(cursor, state)) state.kind = cfaKinds.dereference;
    } else if (state.register === architecture.sp) matchTwoRegisters(cursor, state, architecture);
  }
  // What is damaged inside is only unsupported: the length says where the next instruction is.
  cursor.seek(end, outerEnd);
}

/** Nothing, or DW_OP_plus_uconst as the last operation. */
function matchAddend(cursor: CfiCursor, state: CfaState): boolean {
  if (cursor.at === cursor.end) return true;
  if (cursor.u8() !== op.plusUconst) return false;
  state.argument = cursor.uleb();
  return !cursor.failed && cursor.at === cursor.end;
}

function matchTwoRegisters(cursor: CfiCursor, state: CfaState, architecture: UnwindArchitecture): void {
  const second = readRegisterOffset(cursor, architecture);
  if (second !== 0) return;
  const { ra, wordBytes } = architecture;
  if (register === ra && state.offset === wordBytes) {
    if (!follows(cursor, op.lit15, op.and)) return;
    const threshold = cursor.u8() - op.lit0;
    if (
      threshold < 0 ||
      threshold > 15 ||
      !follows(cursor, op.ge, wordBytes === 8 ? op.lit3 : op.lit2, op.shl, op.plus)
    )
      return;
    state.argument = threshold;
    if (cursor.at === cursor.end) state.kind = cfaKinds.plt;
    return;
  }
  const index = register;
  if (!follows(cursor, op.lit8, op.mul, op.plus, op.deref) || !matchAddend(cursor, state)) return;
  state.register = index;
  state.kind = cfaKinds.indexed;
}

function follows(cursor: CfiCursor, ...codes: readonly number[]): boolean {
  return codes.every((code) => cursor.u8() === code);
}

/** The operand of DW_CFA_expression: the register was saved at the address that it computes. */
export function readSaveExpression(cursor: CfiCursor, rule: SaveRule, architecture: UnwindArchitecture): void {
  const length = cursor.uleb();
  const from = cursor.at;
  const outerEnd = cursor.end;
  cursor.skip(length);
  if (cursor.failed) return;
  const end = cursor.at;
  cursor.seek(from, end);
  const offset = readRegisterOffset(cursor, architecture);
  if (offset !== undefined && cursor.at === end) rule.set(saveKinds.atRegister, register, offset);
  else rule.set(saveKinds.unsupported, 0, 0);
  cursor.seek(end, outerEnd);
}
