import { machines } from '../elf/elf-file.ts';

/** DWARF's numbers for the registers that unwinding is about. */
export interface UnwindArchitecture {
  readonly machine: number;
  readonly sp: number;
  readonly fp: number;
  readonly ra: number;
  /** The callee-saved register that is followed where a table asks for it; -1: none. */
  readonly rbx: number;
}

/** System V ABI, AMD64 supplement, "DWARF register number mapping". */
export const x86_64: UnwindArchitecture = { machine: machines.x86_64, sp: 7, fp: 6, ra: 16, rbx: 3 };
/** "DWARF for the Arm 64-bit Architecture", register names. */
export const aarch64: UnwindArchitecture = { machine: machines.aarch64, sp: 31, fp: 29, ra: 30, rbx: -1 };
