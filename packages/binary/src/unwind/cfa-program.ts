import { readCfaExpression, readSaveExpression } from './cfa-expression.ts';
import { cfaKinds, CfaState, saveKinds, SaveRule } from './cfa-state.ts';
import { CfiCursor } from './cfi-cursor.ts';
import type { CommonEntry } from './cfi-entries.ts';
import { rowNumberOf, type UnwindArchitecture } from './unwind-architecture.ts';

/** DW_CFA_*, DWARF 5, 7.24, and the extensions of GNU and Arm. The first three carry an operand in their low six bits. */
const instruction = {
  advanceLoc: 0x40,
  offset: 0x80,
  restore: 0xc0,
  nop: 0x00,
  setLoc: 0x01,
  advanceLoc1: 0x02,
  advanceLoc2: 0x03,
  advanceLoc4: 0x04,
  offsetExtended: 0x05,
  restoreExtended: 0x06,
  undefined: 0x07,
  sameValue: 0x08,
  register: 0x09,
  rememberState: 0x0a,
  restoreState: 0x0b,
  defCfa: 0x0c,
  defCfaRegister: 0x0d,
  defCfaOffset: 0x0e,
  defCfaExpression: 0x0f,
  expression: 0x10,
  offsetExtendedSf: 0x11,
  defCfaSf: 0x12,
  defCfaOffsetSf: 0x13,
  valOffset: 0x14,
  valOffsetSf: 0x15,
  valExpression: 0x16,
  aarch64NegateRaStateWithPc: 0x2c,
  aarch64NegateRaState: 0x2d,
  gnuArgsSize: 0x2e,
  gnuNegativeOffsetExtended: 0x2f,
} as const;

/** Compilers nest two deep. */
const deepestRemembered = 64;

/** Runs the instructions of FDEs, one after another, over state that is made once. */
export class CfaProgram {
  /** What holds at the address that `run` last reported. */
  readonly state = new CfaState();
  /** From which address on nothing is known, when `run` said false. */
  damagedFrom = 0;
  readonly #architecture: UnwindArchitecture;
  readonly #cursors = new Map<Uint8Array, CfiCursor>();
  readonly #initials = new Map<CommonEntry, CfaState | undefined>();
  readonly #remembered: CfaState[] = [];
  readonly #ignored = new SaveRule();
  #depth = 0;

  constructor(architecture: UnwindArchitecture) {
    this.#architecture = architecture;
  }

  /**
   * Calls `row(address)` for each address from which on other rules hold, in ascending order, beginning with `start`; `state` then has the
   * rules. Stops at `end`. False where the instructions are damaged: rows up to there were reported.
   */
  run(
    common: CommonEntry,
    programStart: number,
    programEnd: number,
    start: number,
    end: number,
    row: (address: number) => void,
  ): boolean {
    const initial = this.#initialState(common);
    this.damagedFrom = start;
    if (initial === undefined) return false;
    this.state.copy(initial);
    this.#depth = 0;
    const cursor = this.#cursorOf(common.bytes);
    cursor.seek(programStart, programEnd);
    return this.#execute(cursor, common, initial, start, end, row);
  }

  #cursorOf(bytes: Uint8Array): CfiCursor {
    let cursor = this.#cursors.get(bytes);
    if (cursor === undefined) this.#cursors.set(bytes, (cursor = new CfiCursor(bytes)));
    return cursor;
  }

  /** Run once for each CIE, so that a long one shared by many FDEs costs nothing. */
  #initialState(common: CommonEntry): CfaState | undefined {
    const known = this.#initials.get(common);
    if (known !== undefined || this.#initials.has(common)) return known;
    this.state.reset();
    this.#depth = 0;
    const cursor = this.#cursorOf(common.bytes);
    cursor.seek(common.programStart, common.programEnd);
    const initial = new CfaState();
    const ok = this.#execute(cursor, common, initial, 0, Infinity, () => {});
    initial.copy(this.state);
    this.#initials.set(common, ok ? initial : undefined);
    return ok ? initial : undefined;
  }

  #execute(
    cursor: CfiCursor,
    common: CommonEntry,
    initial: CfaState,
    start: number,
    end: number,
    row: (address: number) => void,
  ): boolean {
    const { state } = this;
    const { codeAlign, dataAlign } = common;
    let address = start;
    while (cursor.at < cursor.end && !cursor.failed) {
      const code = cursor.u8();
      const operand = code & 0x3f;
      let next = address;
      switch (code & 0xc0) {
        case instruction.advanceLoc:
          next = address + operand * codeAlign;
          break;
        case instruction.offset:
          this.#rule(operand).set(saveKinds.atCfa, 0, cursor.uleb() * dataAlign);
          continue;
        case instruction.restore:
          this.#restore(operand, initial);
          continue;
        default:
          switch (code) {
            case instruction.nop:
              continue;
            case instruction.defCfaOffset:
              state.offset = cursor.uleb();
              continue;
            case instruction.defCfaRegister:
              state.register = rowNumberOf(this.#architecture, cursor.uleb());
              continue;
            case instruction.defCfa:
              state.kind = cfaKinds.register;
              state.register = rowNumberOf(this.#architecture, cursor.uleb());
              state.offset = cursor.uleb();
              continue;
            case instruction.advanceLoc1:
              next = address + cursor.u8() * codeAlign;
              break;
            case instruction.advanceLoc2:
              next = address + cursor.u16() * codeAlign;
              break;
            case instruction.advanceLoc4:
              next = address + cursor.u32() * codeAlign;
              break;
            default:
              if (!this.#rarely(code, cursor, initial, dataAlign)) return false;
              continue;
          }
      }
      if (next > address) {
        row(address);
        if (next >= end) return true;
        address = next;
        this.damagedFrom = address;
      }
    }
    if (cursor.failed) return false;
    row(address);
    return true;
  }

  /** The instructions that are no hot path; false for one that is unknown or damaged. */
  #rarely(code: number, cursor: CfiCursor, initial: CfaState, dataAlign: number): boolean {
    const { state } = this;
    switch (code) {
      case instruction.rememberState: {
        if (this.#depth === deepestRemembered) return false;
        let saved = this.#remembered[this.#depth];
        if (saved === undefined) this.#remembered.push((saved = new CfaState()));
        saved.copy(state);
        this.#depth++;
        break;
      }
      case instruction.restoreState: {
        const saved = this.#depth > 0 ? this.#remembered[--this.#depth] : undefined;
        if (saved === undefined) return false;
        state.copy(saved);
        break;
      }
      case instruction.offsetExtended:
        this.#rule(cursor.uleb()).set(saveKinds.atCfa, 0, cursor.uleb() * dataAlign);
        break;
      case instruction.offsetExtendedSf:
        this.#rule(cursor.uleb()).set(saveKinds.atCfa, 0, cursor.sleb() * dataAlign);
        break;
      case instruction.gnuNegativeOffsetExtended:
        this.#rule(cursor.uleb()).set(saveKinds.atCfa, 0, -cursor.uleb() * dataAlign);
        break;
      case instruction.restoreExtended:
        this.#restore(cursor.uleb(), initial);
        break;
      case instruction.undefined:
        this.#rule(cursor.uleb()).set(saveKinds.undefined, 0, 0);
        break;
      case instruction.sameValue:
        this.#rule(cursor.uleb()).set(saveKinds.same, 0, 0);
        break;
      case instruction.register:
        this.#rule(cursor.uleb()).set(saveKinds.inRegister, rowNumberOf(this.#architecture, cursor.uleb()), 0);
        break;
      case instruction.expression:
        readSaveExpression(cursor, this.#rule(cursor.uleb()), this.#architecture);
        break;
      case instruction.valOffset:
        this.#rule(cursor.uleb()).set(saveKinds.unsupported, 0, 0);
        cursor.uleb();
        break;
      case instruction.valOffsetSf:
        this.#rule(cursor.uleb()).set(saveKinds.unsupported, 0, 0);
        cursor.sleb();
        break;
      case instruction.valExpression:
        this.#rule(cursor.uleb()).set(saveKinds.unsupported, 0, 0);
        cursor.skip(cursor.uleb());
        break;
      case instruction.defCfaSf:
        state.kind = cfaKinds.register;
        state.register = rowNumberOf(this.#architecture, cursor.uleb());
        state.offset = cursor.sleb() * dataAlign;
        break;
      case instruction.defCfaOffsetSf:
        state.offset = cursor.sleb() * dataAlign;
        break;
      case instruction.defCfaExpression:
        readCfaExpression(cursor, state, this.#architecture);
        break;
      case instruction.gnuArgsSize:
        cursor.uleb();
        break;
      // Return addresses are signed from here on, or no longer: the address itself is told by masking it.
      case instruction.aarch64NegateRaState:
      case instruction.aarch64NegateRaStateWithPc:
        break;
      // DW_CFA_set_loc is unknown here: no linker can relax it, so no compiler writes it.
      default:
        return false;
    }
    return !cursor.failed;
  }

  #restore(number: number, initial: CfaState): void {
    const { fp, ra, rbx } = this.#architecture;
    const register = rowNumberOf(this.#architecture, number);
    if (register === fp) this.state.fp.copy(initial.fp);
    else if (register === ra) this.state.ra.copy(initial.ra);
    else if (register === rbx) this.state.rbx.copy(initial.rbx);
  }

  /** The rule of a register by its number in the file; of one that nobody asks for, a rule that nobody reads. */
  #rule(number: number): SaveRule {
    const { fp, ra, rbx } = this.#architecture;
    const register = rowNumberOf(this.#architecture, number);
    if (register === fp) return this.state.fp;
    if (register === ra) return this.state.ra;
    return register === rbx ? this.state.rbx : this.#ignored;
  }
}
