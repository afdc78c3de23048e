/** How the CFA is computed. */
export const cfaKinds = {
  register: 0,
  /** DW_OP_breg7 8; DW_OP_breg16 0; lit15; and; lit<argument>; ge; lit3; shl; plus: what linkers write for `.plt`. */
  plt: 1,
  /** *(register + offset) + argument */
  dereference: 2,
  /** *(SP + offset + 8 * register) + argument */
  indexed: 3,
  unsupported: 4,
} as const;

/** Where the caller's value of a register is. */
export const saveKinds = {
  unspecified: 0,
  /** at CFA + offset */
  atCfa: 1,
  /** at register + offset */
  atRegister: 2,
  undefined: 3,
  /** in another register */
  inRegister: 4,
  /** DW_CFA_same_value */
  same: 5,
  unsupported: 6,
} as const;

/** The rule for one register. */
export class SaveRule {
  kind: number = saveKinds.unspecified;
  register = 0;
  offset = 0;

  set(kind: number, register: number, offset: number): void {
    this.kind = kind;
    this.register = register;
    this.offset = offset;
  }

  copy(from: SaveRule): void {
    this.kind = from.kind;
    this.register = from.register;
    this.offset = from.offset;
  }
}

/** What a row says, as far as an unwinder needs it: the rules of the CFA and of three registers. */
export class CfaState {
  kind: number = cfaKinds.unsupported;
  register = 0;
  /** In bytes. */
  offset = 0;
  argument = 0;
  readonly fp = new SaveRule();
  readonly ra = new SaveRule();
  /** Only on x86-64: glibc's `_dl_runtime_resolve` computes its CFA from it. */
  readonly rbx = new SaveRule();

  copy(from: CfaState): void {
    this.kind = from.kind;
    this.register = from.register;
    this.offset = from.offset;
    this.argument = from.argument;
    this.fp.copy(from.fp);
    this.ra.copy(from.ra);
    this.rbx.copy(from.rbx);
  }

  reset(): void {
    this.kind = cfaKinds.unsupported;
    this.register = 0;
    this.offset = 0;
    this.argument = 0;
    this.fp.set(saveKinds.unspecified, 0, 0);
    this.ra.set(saveKinds.unspecified, 0, 0);
    this.rbx.set(saveKinds.unspecified, 0, 0);
  }
}
