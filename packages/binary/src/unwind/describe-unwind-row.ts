import { machines } from '../elf/elf-file.ts';
import {
  unwindExtUnitAarch64,
  unwindKindDerefFp,
  unwindKindDerefSp,
  unwindKindExt,
  unwindKindFp,
  unwindKindFpFrame,
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
  unwindRuleSameRaAtCfa,
  unwindRuleUndefined,
} from './generated/unwind-abi.ts';
import type { UnwindRows } from './unwind-table.ts';

const i386Names = 'eax edx ecx ebx esi edi ebp esp'.split(' ');
const x86Names = 'rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');

/**
 * One row in readelf's words: `rsp+16 fp=c-16 ra=c-8` is CFA = rsp + 16, the caller's frame pointer at CFA - 16, the return address at
 * CFA - 8; `u` is "not saved". Whole-row kinds are `gap`, `stop`, `signal` and `frame record`.
 */
export function describeUnwindRow(table: UnwindRows, element: number): string {
  const word = table.word(element * 2);
  let operand = table.word(element * 2 + 1);
  const isX86 = table.machine !== machines.aarch64;
  const is32Bit = table.machine === machines.i386;
  const unit = isX86 ? 1 : unwindExtUnitAarch64;
  let kind = (word >>> 16) & 0xf;
  const argument = (word >>> 20) & 0xf;
  const rule = (word >>> 24) & 0xf;
  const names = is32Bit ? i386Names : isX86 ? x86Names : undefined;
  const register = names === undefined ? `x${word >>> 28}` : (names[word >>> 28] ?? '');
  let cfaOff = operand & 0xffff;
  let third: number | undefined;
  if (kind === unwindKindExt) {
    kind = argument;
    cfaOff = table.word(operand * 2) | 0;
    operand = table.word(operand * 2 + 1);
    // In an extension fp_off is the low half and the third offset the high one.
    third = (operand >> 16) * unit;
    operand <<= 16;
  }
  const fpOff = (operand >> 16) * (third === undefined ? 1 : unit);
  const signed = third === undefined ? (cfaOff << 16) >> 16 : cfaOff;
  const [sp = 'sp', fp = 'x29'] = names === undefined ? [] : [names[7], names[6]];
  const frame = describeFp(rule, fpOff, register, fp);
  const saved = isX86 ? (is32Bit ? 'c-4' : 'c-8') : describeAarch64Ra(rule, fpOff, third);
  const rbx = isX86 && third !== undefined && third !== 0 ? ` rbx=c${plus(third)}` : '';
  const rest = `fp=${frame} ra=${saved}${rbx}`;
  switch (kind) {
    case unwindKindInvalid:
      return 'gap';
    case unwindKindStop:
      return 'stop';
    case unwindKindSignal:
      return 'signal';
    case unwindKindFpFrame:
      return 'frame record';
    case unwindKindSp:
      return `${sp}${plus(cfaOff)} ${rest}`;
    case unwindKindFp:
      return `${fp}${plus(cfaOff)} ${rest}`;
    case unwindKindReg:
      return `${register}${plus(signed)} ${rest}`;
    case unwindKindLr:
      return `${sp}${plus(cfaOff)} fp=${frame} ra=u`;
    case unwindKindRaReg:
      return `${sp}${plus(cfaOff)} fp=${frame} ra=${register}`;
    case unwindKindPlt:
      return `plt${argument} ${rest}`;
    case unwindKindDerefSp:
      return `*(${sp}${plus(signed)})${plus(argument * 8)} ${rest}`;
    case unwindKindDerefFp:
      return `*(${fp}${plus(signed)})${plus(argument * 8)} ${rest}`;
    case unwindKindIndexed:
      return `*(${sp}${plus(signed)}+8*${register})${plus(argument * 8)} ${rest}`;
    default:
      return `kind ${kind}`;
  }
}

function describeFp(rule: number, offset: number, register: string, fp: string): string {
  if (rule === unwindRuleAtCfa) return `c${plus(offset)}`;
  if (rule === unwindRuleAtFp) return `*(${fp}${plus(offset)})`;
  if (rule === unwindRuleAtReg) return `*(${register}${plus(offset)})`;
  if (rule === unwindRuleInReg) return register;
  return rule === unwindRuleUndefined ? 'lost' : 'u';
}

function describeAarch64Ra(rule: number, fpOff: number, third: number | undefined): string {
  if (third !== undefined) return third === 0 ? 'u' : `c${plus(third)}`;
  return `c${plus(rule === unwindRuleSameRaAtCfa ? fpOff : fpOff + 8)}`;
}

function plus(offset: number): string {
  return offset < 0 ? String(offset) : `+${offset}`;
}
