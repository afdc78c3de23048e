import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import {
  BufferSource,
  readElfFile,
  readUnwindTable,
  type UnwindMapping,
  type UnwindTable,
  virtualAddressOfFileOffset,
} from '@everflame/binary';
import { elfAndTableOf } from './unwind-table-judge.ts';

/** A line of /proc/PID/maps with execute permission. */
export interface CodeMapping {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  readonly path: string;
}

/** Tables for the mappings of a program; each file's is made once. */
export class ProcessTables {
  readonly #known = new Map<string, { readonly table: UnwindTable; address: (offset: number) => number } | undefined>();

  mappings(code: readonly CodeMapping[]): UnwindMapping[] {
    return code.map(({ start, end, offset, path }) => {
      const file = this.#file(path);
      if (file === undefined) return { start, end, bias: 0, unwind: { by: 'none' } };
      return { start, end, bias: start - file.address(offset), unwind: { by: 'table', table: file.table } };
    });
  }

  #file(path: string): { readonly table: UnwindTable; address: (offset: number) => number } | undefined {
    if (this.#known.has(path)) return this.#known.get(path);
    let made: { readonly table: UnwindTable; address: (offset: number) => number } | undefined;
    if (path === '[vdso]') {
      const elf = readElfFile(new BufferSource(vdsoBytes()));
      const table = elf.ok ? readUnwindTable(elf.value) : elf;
      if (!table.ok) throw new Error(`vDSO: ${table.error.detail}`);
      made = { table: table.value, address: (offset) => offset };
    } else if (existsSync(path)) {
      const { elf, table } = elfAndTableOf(path);
      made = { table, address: (offset) => Number(virtualAddressOfFileOffset(elf, BigInt(offset))) };
    }
    this.#known.set(path, made);
    return made;
  }
}

/** The vDSO of this process: the kernel maps the same one into every process. */
export function vdsoBytes(): Uint8Array {
  const line = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .find((each) => each.endsWith('[vdso]'));
  const [start = 0, end = 0] = (line?.split(' ')[0] ?? '').split('-').map((each) => Number.parseInt(each, 16));
  const bytes = new Uint8Array(end - start);
  const fd = openSync('/proc/self/mem', 'r');
  try {
    readSync(fd, bytes, 0, bytes.length, start);
  } finally {
    closeSync(fd);
  }
  return bytes;
}
