import { unwindPageShift } from './generated/unwind-abi.ts';
import type { UnwindLosses } from './row-encoder.ts';

/** How to find the caller of every instruction of one executable. The layout is that of bpf/unwind-abi.h. */
export interface UnwindTable {
  /** `e_machine` of the ELF file: 62 x86-64, 183 AArch64. */
  readonly machine: number;
  /** `unwindFlag…` bits. */
  readonly flags: number;
  /** ELF virtual address of the first byte of page 0; a multiple of 64 KB. */
  readonly base: number;
  readonly pageCount: number;
  readonly rowCount: number;
  /** Two words for each 8-byte element, as they go into the kernel: page index, rows, extensions. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly losses: Readonly<UnwindLosses>;
}

/**
 * The element of the row in force at `offset` bytes from the table's base; -1 outside of the table. A page holds at most 65,536 rows, so
 * the search takes at most 16 steps.
 */
export function findUnwindRow(table: UnwindTable, offset: number): number {
  const { words } = table;
  const page = Math.floor(offset / 2 ** unwindPageShift);
  if (!(page >= 0 && page < table.pageCount)) return -1;
  let low = words[page * 2] ?? 0;
  let high = low + (words[page * 2 + 1] ?? 0);
  const wanted = offset % 2 ** unwindPageShift;
  // The first row has pc_low 0, so the answer is in [low, high) throughout.
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (((words[middle * 2] ?? 0) & 0xffff) <= wanted) low = middle;
    else high = middle;
  }
  return low;
}
