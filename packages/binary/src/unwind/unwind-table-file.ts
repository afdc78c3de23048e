import { crc32 } from 'node:zlib';
import { BinaryFormatError, asResult, type BinaryResult } from '../binary-error.ts';
import { unwindKindExt, unwindMaxPages, unwindPageShift } from './generated/unwind-abi.ts';
import { UnwindTable } from './unwind-table.ts';

/** `EFUW`, little-endian. */
const magic = 0x5755_4645;
/** Another meaning of any byte, or rows made by other rules, is another version: older files are then made anew. */
const version = 4;
/** magic, version, crc32 of all that follows, machine, flags, base (8), pages, rows, elements, losses (4 × 4). */
const headerBytes = 56;
const crcEnd = 12;
const pageBytes = 2 ** unwindPageShift;

/** The bytes of a table for a cache on disk. */
export function serializeUnwindTable(table: UnwindTable): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(table.words.buffer, table.words.byteOffset, table.words.byteLength);
  const bytes = new Uint8Array(headerBytes + body.length);
  const view = new DataView(bytes.buffer);
  const { losses } = table;
  view.setUint32(0, magic, true);
  view.setUint32(4, version, true);
  view.setUint32(12, table.machine, true);
  view.setUint32(16, table.flags, true);
  view.setFloat64(20, table.base, true);
  const counts = [table.pageCount, table.rowCount, table.words.length / 2];
  const causes = [losses.cfaExpression, losses.cfaOffset, losses.returnAddress, losses.entries];
  for (const [i, value] of [...counts, ...causes].entries()) view.setUint32(28 + i * 4, value, true);
  bytes.set(body, headerBytes);
  view.setUint32(8, crc32(bytes.subarray(crcEnd)), true);
  return bytes;
}

/** Errors: `malformed` (another file, damaged, against the layout's rules), `truncated`, `unsupported` (another version). */
export function deserializeUnwindTable(bytes: Uint8Array): BinaryResult<UnwindTable> {
  return asResult(() => {
    if (bytes.length < headerBytes) throw new BinaryFormatError('truncated', `unwind table of ${bytes.length} bytes`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getUint32(0, true) !== magic) throw new BinaryFormatError('malformed', 'no unwind table');
    const found = view.getUint32(4, true);
    if (found !== version) throw new BinaryFormatError('unsupported', `unwind table of version ${found}`);
    const field = (index: number): number => view.getUint32(28 + index * 4, true);
    const expected = headerBytes + field(2) * 8;
    if (bytes.length !== expected) throw new BinaryFormatError('truncated', `${bytes.length} of ${expected} bytes`);
    if (crc32(bytes.subarray(crcEnd)) !== view.getUint32(8, true)) {
      throw new BinaryFormatError('malformed', 'unwind table with a wrong checksum');
    }
    const table = new UnwindTable({
      machine: view.getUint32(12, true),
      flags: view.getUint32(16, true),
      base: view.getFloat64(20, true),
      pageCount: field(0),
      rowCount: field(1),
      words: new Uint32Array(bytes.slice(headerBytes).buffer),
      losses: { cfaExpression: field(3), cfaOffset: field(4), returnAddress: field(5), entries: field(6) },
    });
    const complaint = checkUnwindTable(table);
    if (complaint !== undefined) throw new BinaryFormatError('malformed', complaint);
    return table;
  });
}

/** What is wrong with a table, in words; undefined for a table that can be given to the kernel. */
export function checkUnwindTable(table: UnwindTable): string | undefined {
  const { words, pageCount, rowCount } = table;
  const elements = words.length / 2;
  if (!Number.isSafeInteger(table.base) || table.base < 0 || table.base % pageBytes !== 0) return `base ${table.base}`;
  if (pageCount > unwindMaxPages || pageCount + rowCount > elements) return `${pageCount} pages, ${rowCount} rows`;
  let expected = pageCount;
  for (let page = 0; page < pageCount; page++) {
    const first = words[page * 2] ?? 0;
    const count = words[page * 2 + 1] ?? 0;
    if (first !== expected || count === 0 || count > pageBytes) return `page ${page}: ${count} rows from ${first}`;
    expected += count;
    if (expected > pageCount + rowCount) return `page ${page} goes beyond the rows`;
    let previous = -1;
    for (let row = first; row < expected; row++) {
      const word = words[row * 2] ?? 0;
      const low = word & 0xffff;
      if (low <= previous || (row === first && low !== 0)) return `row ${row} begins at ${low} after ${previous}`;
      previous = low;
      const operand = words[row * 2 + 1] ?? 0;
      const isExtension = ((word >>> 16) & 0xf) === unwindKindExt;
      if (isExtension && (operand < pageCount + rowCount || operand >= elements))
        return `row ${row}: extension ${operand}`;
    }
  }
  return expected === pageCount + rowCount ? undefined : `${rowCount} rows, of which ${expected - pageCount} in pages`;
}
