import type { DwarfFile } from './dwarf-file.ts';

/**
 * Whether code at an address was kept by the linker. That of a function that was removed is set to 0 or 1 (ld, gold), or to the highest address or
 * the one below (lld); it may then seem to overlap living code at low addresses. Addresses of 64 bits are signed.
 */
export class CodeRanges {
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;

  constructor(file: DwarfFile) {
    const signed = (address: bigint): number => Number(file.is64Bit ? BigInt.asIntN(64, address) : address);
    this.#starts = Float64Array.from(file.codeRanges, ([start]) => signed(start));
    this.#ends = Float64Array.from(file.codeRanges, ([, end]) => signed(end));
  }

  isLive(address: number): boolean {
    if (address === 0 || address === 1 || address === -1 || address === -2) return false;
    const starts = this.#starts;
    if (starts.length === 0) return true;
    for (let i = 0; i < starts.length; i++) {
      if (address >= (starts[i] ?? 0) && address < (this.#ends[i] ?? 0)) return true;
    }
    return false;
  }
}
