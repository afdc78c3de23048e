// Generated from bpf/unwind-abi.h by scripts/gen-abi.mjs. Do not edit.

export const unwindElementBytes = 8;
export const unwindChunkElements = 512;
export const unwindPageShift = 13;
export const unwindMaxPages = 262144;
export const unwindMaxPageChunks = 17;
export const unwindExtUnitAarch64 = 8;
export const unwindKindInvalid = 0;
export const unwindKindStop = 1;
export const unwindKindSp = 2;
export const unwindKindFp = 3;
export const unwindKindFpFrame = 4;
export const unwindKindPlt = 5;
export const unwindKindIndexed = 6;
export const unwindKindSignal = 7;
export const unwindKindDerefSp = 8;
export const unwindKindDerefFp = 9;
export const unwindKindReg = 10;
export const unwindKindLr = 11;
export const unwindKindRaReg = 12;
export const unwindKindExt = 13;
export const unwindRuleSame = 0;
export const unwindRuleAtCfa = 1;
export const unwindRuleAtReg = 2;
export const unwindRuleUndefined = 3;
export const unwindRuleInReg = 4;
export const unwindRuleSameRaAtCfa = 5;
export const unwindRuleAtFp = 6;
export const unwindFlagTracksRbx = 1;
export const unwindFlagGo = 2;
export const unwindX86UcontextGregs = 40;
export const unwindI386SigcontextDi = 16;
export const unwindI386SigcontextSp = 28;
export const unwindI386RtSigcontext = 160;
export const unwindArm64UcontextRegs = 312;

/** `struct ef_unwind_page`: offset of each field in bytes. */
export const unwindPageOffset = {
  firstRow: 0,
  rowCount: 4,
} as const;
export const unwindPageBytes = 8;

/** `struct ef_unwind_row`: offset of each field in bytes. */
export const unwindRowOffset = {
  pcLow: 0,
  op: 2,
  fp: 3,
  cfaOff: 4,
  fpOff: 6,
} as const;
export const unwindRowBytes = 8;

/** `struct ef_unwind_ext`: offset of each field in bytes. */
export const unwindExtOffset = {
  cfaOff: 0,
  fpOff: 4,
  thirdOff: 6,
} as const;
export const unwindExtBytes = 8;
