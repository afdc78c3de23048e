import { closeSync, openSync } from 'node:fs';
import {
  describeUnwindRow,
  type ElfFile,
  FileSource,
  findUnwindRow,
  machines,
  readElfFile,
  readUnwindTable,
  type UnwindTable,
} from '@everflame/binary';
import { readelfExpressions, type ReadelfRow, readelfRows } from './readelf-frames.ts';

/** How a table compares with readelf's. */
export interface UnwindVerdict {
  readonly table: UnwindTable;
  /** readelf's rows that were compared, each at its first and its last byte. */
  readonly compared: number;
  /** `0x1234 readelf: … table: …` for each that differs. */
  readonly differences: readonly string[];
}

/** A file's headers, whose source is closed, and its table; throws when it cannot be made. */
export function elfAndTableOf(path: string): { elf: ElfFile; table: UnwindTable } {
  const fd = openSync(path, 'r');
  try {
    const elf = readElfFile(new FileSource(fd));
    if (!elf.ok) throw new Error(`${path}: ${elf.error.detail}`);
    const table = readUnwindTable(elf.value);
    if (!table.ok) throw new Error(`${path}: ${table.error.detail}`);
    return { elf: elf.value, table: table.value };
  } finally {
    closeSync(fd);
  }
}

/** Compares every row of `readelf --debug-dump=frames-interp` with the table that is made of the same file. */
export async function judgeUnwindTable(path: string): Promise<UnwindVerdict> {
  const { table } = elfAndTableOf(path);
  const frameRegister = { [machines.x86_64]: 'rbp', [machines.i386]: 'ebp' }[table.machine] ?? 'x29';
  const rows = await readelfRows(path, frameRegister);
  const expressions = await readelfExpressions(path);
  const descriptionStarts = [...expressions.keys()].sort((a, b) => a - b);
  const differences: string[] = [];
  for (const row of rows) {
    const owner = descriptionStarts.findLast((start) => start <= row.start);
    const known = owner === undefined ? undefined : expressions.get(owner);
    for (const at of new Set([row.start, row.end - 1])) {
      const element = findUnwindRow(table, at - table.base);
      const ours = element < 0 ? 'outside' : describeUnwindRow(table, element);
      if (!agrees(row, ours, known)) {
        differences.push(
          `0x${at.toString(16)} readelf: ${row.cfa} fp=${row.fp} ra=${row.ra}${row.isSignalFrame ? ' signal' : ''} table: ${ours}`,
        );
        break;
      }
    }
  }
  return { table, compared: rows.length, differences };
}

function agrees(row: ReadelfRow, ours: string, expressions: ReadonlySet<string> | undefined): boolean {
  if (row.isSignalFrame) return ours === 'signal';
  const isX86Stop = row.ra === 'u' && ours === 'stop';
  if (isX86Stop) return true;
  const parts = /^(.*) fp=(.*) ra=(\S+)(?: rbx=\S+)?$/u.exec(ours);
  if (parts === null) return false;
  const [, cfa = '', fp = '', ra = ''] = parts;
  const same = (theirs: string, mine: string): boolean =>
    theirs === 'exp' ? expressions?.has(mine) === true : theirs === mine || (theirs === 's' && mine === 'u');
  return same(row.cfa, cfa) && same(row.fp, fp) && same(row.ra, ra);
}
