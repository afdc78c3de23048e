import type { UnwindArchitecture } from './unwind-architecture.ts';

/**
 * The registers of one frame by DWARF number, as far as they are known. Values beyond 2^53 are rounded: they are no addresses
 * of a program, so nothing is computed from them.
 */
export class UnwindState {
  readonly architecture: UnwindArchitecture;
  readonly registers: Float64Array;
  pc = 0;
  /** `pc` is where a call returns to, so the caller's instruction is the one before. */
  isReturnAddress = false;
  /** All registers are this frame's: it is the leaf, or was interrupted by a signal. Else only SP, and FP and rbx as told. */
  hasAll = true;
  hasFp = true;
  hasRbx = true;
  /**
   * This frame's callee was the leaf, whose registers are still there: assembly that calls its own helpers knows which of them they leave
   * alone.
   */
  hasLeafRegisters = false;
  /** The last step counted from one of those, which nothing promises. */
  isGuessed = false;

  constructor(architecture: UnwindArchitecture) {
    this.architecture = architecture;
    this.registers = new Float64Array(32);
  }

  get sp(): number {
    return this.registers[this.architecture.sp] ?? 0;
  }

  get fp(): number {
    return this.registers[this.architecture.fp] ?? 0;
  }

  /** What tables are asked for. */
  get lookupPc(): number {
    return this.isReturnAddress ? this.pc - 1 : this.pc;
  }

  /** A register as the base of an address; undefined where this frame's value is not known. */
  known(register: number): number | undefined {
    const { sp, fp, rbx } = this.architecture;
    const isKnown =
      this.hasAll || register === sp || (register === fp && this.hasFp) || (register === rbx && this.hasRbx);
    return isKnown ? this.registers[register] : undefined;
  }
}
