import { machines } from '../elf/elf-file.ts';

/** DWARF's numbers for the registers that unwinding is about, as rows have them. */
export interface UnwindArchitecture {
  readonly machine: number;
  readonly sp: number;
  readonly fp: number;
  readonly ra: number;
  /** The callee-saved register that is followed where a table asks for it; -1: none. */
  readonly rbx: number;
  /** Of an address on the stack. */
  readonly wordBytes: 4 | 8;
  /** Rows' numbers by those of the file's call frame information; undefined where they are the same. */
  readonly rowNumbers: readonly number[] | undefined;
}

/** System V ABI, AMD64 supplement, "DWARF register number mapping". */
export const x86_64: UnwindArchitecture = {
  machine: machines.x86_64,
  sp: 7,
  fp: 6,
  ra: 16,
  rbx: 3,
  wordBytes: 8,
  rowNumbers: undefined,
};
/**
 * System V ABI, Intel386 supplement, "DWARF register number mapping": eax, ecx, edx, ebx, esp, ebp, esi, edi, eip. Rows have the numbers of their
 * extensions on x86-64, so that one program unwinds both.
 */
export const i386: UnwindArchitecture = {
  ...x86_64,
  machine: machines.i386,
  wordBytes: 4,
  rowNumbers: [0, 2, 1, 3, 7, 6, 4, 5, 16],
};
/** "DWARF for the Arm 64-bit Architecture", register names. */
export const aarch64: UnwindArchitecture = {
  machine: machines.aarch64,
  sp: 31,
  fp: 29,
  ra: 30,
  rbx: -1,
  wordBytes: 8,
  rowNumbers: undefined,
};

/** A register that no row can name. */
const otherRegister = 255;

/** The number in rows of a register of the file. */
export function rowNumberOf({ rowNumbers }: UnwindArchitecture, register: number): number {
  return rowNumbers === undefined ? register : (rowNumbers[register] ?? otherRegister);
}

/** By `e_machine`; undefined for others. */
export function unwindArchitectureOf(machine: number): UnwindArchitecture | undefined {
  return [x86_64, i386, aarch64].find((each) => each.machine === machine);
}
