import { cfaKinds, type CfaState, type SaveRule, saveKinds } from './cfa-state.ts';
import {
  unwindExtUnitAarch64,
  unwindI386SigcontextSp,
  unwindKindDerefFp,
  unwindKindDerefSp,
  unwindKindExt,
  unwindKindFp,
  unwindKindIndexed,
  unwindKindInvalid,
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
  unwindRuleUndefined,
} from './generated/unwind-abi.ts';
import type { UnwindArchitecture } from './unwind-architecture.ts';

/** How many rows an executable has that the table cannot express, by cause; their code counts as a gap. */
export interface UnwindLosses {
  /** An expression of an unknown shape. */
  cfaExpression: number;
  /** A register or an offset that no row has room for. */
  cfaOffset: number;
  /** A return address that is neither where the architecture has it nor in a register. */
  returnAddress: number;
  /** Entries of .eh_frame that are damaged or of an unknown kind. */
  entries: number;
}

/** More offsets than any real file has that do not fit a row (libLLVM: 0); keeps a hostile one small. */
const mostExtensions = 65_536;

/** Turns rules into the 6 bytes of a row after its pc_low: `rule` is op | fp << 8, `operand` cfa_off | fp_off << 16. */
export class RowEncoder {
  rule = 0;
  operand = 0;
  /** Whether a CFA was relative to rbx: then the whole table has to follow it, and is made again with `tracksRbx`. */
  needsRbx = false;
  /** cfa_off, then fp_off | third_off << 16, of each extension. A row of kind EXT has its index as operand. */
  readonly extensions: number[] = [];
  readonly losses: UnwindLosses = { cfaExpression: 0, cfaOffset: 0, returnAddress: 0, entries: 0 };
  readonly #architecture: UnwindArchitecture;
  readonly #tracksRbx: boolean;
  /** Of the offsets in an extension. */
  readonly #unit: number;
  readonly #known = new Map<string, number>();

  constructor(architecture: UnwindArchitecture, tracksRbx: boolean) {
    this.#architecture = architecture;
    this.#tracksRbx = tracksRbx;
    this.#unit = architecture.rbx < 0 ? unwindExtUnitAarch64 : 1;
  }

  encode(state: CfaState, isSignalFrame: boolean): void {
    if (isSignalFrame) this.#encodeSignal(state);
    else if (state.ra.kind === saveKinds.undefined) this.#set(unwindKindStop, 0);
    else if (this.#architecture.rbx < 0) this.#encodeAarch64(state);
    else this.#encodeX86(state);
  }

  #set(op: number, fp: number, cfaOff = 0, fpOff = 0): void {
    this.rule = op | (fp << 8);
    this.operand = ((cfaOff & 0xffff) | (fpOff << 16)) >>> 0;
  }

  #lose(cause: keyof UnwindLosses): void {
    this.losses[cause]++;
    this.#set(unwindKindInvalid, 0);
  }

  /** On i386 the registers lie at two places, so that the row says where: the description's CFA is the stack pointer among them. */
  #encodeSignal(state: CfaState): void {
    if (this.#architecture.wordBytes === 8) return this.#set(unwindKindSignal, 0);
    const offset = state.offset - unwindI386SigcontextSp;
    const isUsual =
      state.kind === cfaKinds.dereference && state.register === this.#architecture.sp && state.argument === 0;
    if (isUsual && isUnsigned16(offset)) this.#set(unwindKindSignal, 0, offset);
    else this.#lose('cfaExpression');
  }

  #encodeX86(state: CfaState): void {
    const { sp, wordBytes } = this.#architecture;
    const { ra } = state;
    const fp = this.#fpRule(state.fp);
    const fpOff = hasOffset(fp) ? state.fp.offset : 0;
    if (ra.kind === saveKinds.inRegister) {
      const both = withRegister(fp, ra.register);
      const fits = state.kind === cfaKinds.register && state.register === sp && isUnsigned16(state.offset);
      if (both === undefined || !fits) this.#lose('returnAddress');
      else this.#set(unwindKindRaReg, both, state.offset, fpOff);
    } else if (ra.kind !== saveKinds.atCfa || ra.offset !== -wordBytes) {
      this.#lose('returnAddress');
    } else {
      this.#encodeCfa(state, fp, fpOff, this.#tracksRbx && state.rbx.kind === saveKinds.atCfa ? state.rbx.offset : 0);
    }
  }

  #encodeAarch64(state: CfaState): void {
    const { ra } = state;
    const isInRegister = ra.kind === saveKinds.unspecified || ra.kind === saveKinds.same;
    if (!isInRegister && ra.kind !== saveKinds.atCfa) return this.#lose('returnAddress');
    const fp = this.#fpRule(state.fp);
    const fpOff = hasOffset(fp) ? state.fp.offset : 0;
    if (isInRegister) {
      const isPlain =
        state.kind === cfaKinds.register && state.register === this.#architecture.sp && isUnsigned16(state.offset);
      if (isPlain && fp === unwindRuleSame) this.#set(unwindKindLr, fp, state.offset);
      else this.#extend(state, fp, fpOff, 0);
    } else if (fp === unwindRuleAtCfa && ra.offset === fpOff + 8) {
      this.#encodeCfa(state, fp, fpOff, 0, ra.offset);
    } else if (fp === unwindRuleSame && isSigned16(ra.offset)) {
      this.#encodeCfa(state, unwindRuleSameRaAtCfa, ra.offset, 0, ra.offset);
    } else if (ra.offset === 0) {
      this.#lose('returnAddress');
    } else {
      this.#extend(state, fp, fpOff, ra.offset);
    }
  }

  /** `third` asks for an extension where it is not 0; `thirdIfExtended` is what one has when only the offsets ask for it. */
  #encodeCfa(state: CfaState, fp: number, fpOff: number, third: number, thirdIfExtended = third): void {
    const { sp, fp: framePointer } = this.#architecture;
    switch (state.kind) {
      case cfaKinds.register: {
        const isUsual = state.register === sp || state.register === framePointer;
        if (isUsual && third === 0 && isUnsigned16(state.offset) && isSigned16(fpOff)) {
          this.#set(state.register === sp ? unwindKindSp : unwindKindFp, fp, state.offset, fpOff);
          return;
        }
        if (state.register === this.#architecture.rbx) this.needsRbx = true;
        const both = isUsual ? undefined : withRegister(fp, state.register);
        if (both !== undefined && third === 0 && isSigned16(state.offset) && isSigned16(fpOff)) {
          this.#set(unwindKindReg, both, state.offset, fpOff);
          return;
        }
        if ((fp & 0xf) === unwindRuleSameRaAtCfa) this.#extend(state, unwindRuleSame, 0, thirdIfExtended);
        else this.#extend(state, fp, fpOff, thirdIfExtended);
        return;
      }
      case cfaKinds.plt:
        this.#set(unwindKindPlt | (state.argument << 4), fp, state.offset, fpOff);
        return;
      case cfaKinds.dereference:
      case cfaKinds.indexed: {
        const isIndexed = state.kind === cfaKinds.indexed;
        const both = isIndexed ? withRegister(fp, state.register) : fp;
        const isUsual = isIndexed || state.register === sp || state.register === framePointer;
        const addend = state.argument / 8;
        const fits = isSigned16(state.offset) && isSigned16(fpOff) && Number.isInteger(addend) && addend < 16;
        if (both === undefined || !isUsual || !fits) return this.#lose('cfaOffset');
        const kind = isIndexed ? unwindKindIndexed : state.register === sp ? unwindKindDerefSp : unwindKindDerefFp;
        this.#set(kind | (addend << 4), both, state.offset, fpOff);
        return;
      }
      default:
        this.#lose('cfaExpression');
    }
  }

  #extend(state: CfaState, fp: number, fpOff: number, third: number): void {
    const { sp, fp: framePointer } = this.#architecture;
    const isSp = state.register === sp;
    const isUsual = isSp || state.register === framePointer;
    const both = isUsual ? fp : withRegister(fp, state.register);
    if (state.kind !== cfaKinds.register) return this.#lose('cfaExpression');
    const fpUnits = fpOff / this.#unit;
    const thirdUnits = third / this.#unit;
    const fits =
      isSigned16(fpUnits) && isSigned16(thirdUnits) && Number.isInteger(fpUnits) && Number.isInteger(thirdUnits);
    if (both === undefined || !isSigned32(state.offset) || !fits) return this.#lose('cfaOffset');
    const high = ((fpUnits & 0xffff) | (thirdUnits << 16)) >>> 0;
    const key = `${state.offset}:${high}`;
    let index = this.#known.get(key);
    if (index === undefined) {
      if (this.#known.size === mostExtensions) return this.#lose('cfaOffset');
      index = this.#known.size;
      this.#known.set(key, index);
      this.extensions.push(state.offset >>> 0, high);
    }
    const kind = isSp ? unwindKindSp : isUsual ? unwindKindFp : unwindKindReg;
    this.rule = unwindKindExt | (kind << 4) | (both << 8);
    this.operand = index;
  }

  /** A frame pointer that cannot be restored is no reason to stop: most callers do not need it. */
  #fpRule(rule: SaveRule): number {
    switch (rule.kind) {
      case saveKinds.unspecified:
      case saveKinds.same:
        return unwindRuleSame;
      case saveKinds.atCfa:
        return isSigned16(rule.offset / this.#unit) ? unwindRuleAtCfa : unwindRuleUndefined;
      case saveKinds.atRegister:
        if (rule.register === this.#architecture.fp && isSigned16(rule.offset)) return unwindRuleAtFp;
        return rule.register < 16 && isSigned16(rule.offset)
          ? unwindRuleAtReg | (rule.register << 4)
          : unwindRuleUndefined;
      case saveKinds.inRegister:
        return rule.register < 16 ? unwindRuleInReg | (rule.register << 4) : unwindRuleUndefined;
      default:
        return unwindRuleUndefined;
    }
  }
}

/** The row has room for one register: undefined where the rule of the frame pointer has another one. */
function withRegister(fp: number, register: number): number | undefined {
  const rule = fp & 0xf;
  const isTaken = rule === unwindRuleAtReg || rule === unwindRuleInReg;
  if (register > 15 || (isTaken && fp >> 4 !== register)) return undefined;
  return rule | (register << 4);
}

const hasOffset = (fp: number): boolean => {
  const rule = fp & 0xf;
  return rule === unwindRuleAtCfa || rule === unwindRuleAtFp || rule === unwindRuleAtReg;
};
const isUnsigned16 = (value: number): boolean => value >= 0 && value <= 0xffff;
const isSigned16 = (value: number): boolean => value >= -0x8000 && value <= 0x7fff;
const isSigned32 = (value: number): boolean => value >= -0x8000_0000 && value <= 0x7fff_ffff;
