import { unwindPageShift } from './generated/unwind-abi.ts';
import type { UnwindLosses } from './row-encoder.ts';

/** How to find the caller of every instruction of one executable, wherever its elements lie. The layout is that of bpf/unwind-abi.h. */
export interface UnwindRows {
  /** `e_machine` of the ELF file: 62 x86-64, 183 AArch64. */
  readonly machine: number;
  /** `unwindFlag…` bits. */
  readonly flags: number;
  /** ELF virtual address of the first byte of page 0; a multiple of the page's 8 KB. */
  readonly base: number;
  readonly pageCount: number;
  /** Of the two words of each 8-byte element: page index, rows, extensions. 0 outside of the table. */
  word(index: number): number;
}

/** A whole table in memory. */
export class UnwindTable implements UnwindRows {
  readonly machine: number;
  readonly flags: number;
  readonly base: number;
  readonly pageCount: number;
  readonly rowCount: number;
  /** As they go into the kernel. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly losses: Readonly<UnwindLosses>;

  constructor(parts: Omit<UnwindTable, 'word'>) {
    this.machine = parts.machine;
    this.flags = parts.flags;
    this.base = parts.base;
    this.pageCount = parts.pageCount;
    this.rowCount = parts.rowCount;
    this.words = parts.words;
    this.losses = parts.losses;
  }

  word(index: number): number {
    return this.words[index] ?? 0;
  }
}

/** The element of the row in force at `offset` bytes from the table's base; -1 outside of the table. */
export function findUnwindRow(table: UnwindRows, offset: number): number {
  const page = Math.floor(offset / 2 ** unwindPageShift);
  if (!(page >= 0 && page < table.pageCount)) return -1;
  let low = table.word(page * 2);
  let high = low + table.word(page * 2 + 1);
  const wanted = offset % 2 ** unwindPageShift;
  // The first row has pc_low 0, so the answer is in [low, high) throughout.
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((table.word(middle * 2) & 0xffff) <= wanted) low = middle;
    else high = middle;
  }
  return low;
}
