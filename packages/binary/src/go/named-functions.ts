import type { FieldReader } from './field-reader.ts';
import type { Pclntab } from './pclntab.ts';

/** ELF virtual addresses; end exclusive. */
export interface GoRange {
  readonly start: number;
  readonly end: number;
}

const portionBytes = 256 * 1024;
/** Kubernetes' kubelet has 6 MB of names. */
const mostNameBytes = 64 * 1024 * 1024;

/**
 * The functions of these names in a table of Go 1.18 or later; a name that the program does not have is left out. One pass over the names, and one
 * over the functions where any of them is there.
 */
export function namedFunctions(table: Pclntab, names: readonly string[]): ReadonlyMap<string, GoRange> {
  const wanted = offsetsOf(table, names);
  const found = new Map<string, GoRange>();
  if (wanted.size === 0) return found;
  const { functionsAt, functionCount, textStart } = table;
  // Two cursors, since entries and records lie in the same order but far apart.
  const entries = new PortionReader(table.reader);
  const records = new PortionReader(table.reader);
  for (let i = 0; i < functionCount && found.size < wanted.size; i++) {
    const at = functionsAt + i * 8;
    // After the entry, the offset of the name (src/runtime/runtime2.go: _func).
    const name = wanted.get(records.u32(functionsAt + entries.u32(at + 4) + 4));
    if (name === undefined) continue;
    found.set(name, { start: textStart + entries.u32(at), end: textStart + entries.u32(at + 8) });
  }
  return found;
}

/** Offsets in the table's names. */
function offsetsOf({ reader, namesAt, unitsAt }: Pclntab, names: readonly string[]): ReadonlyMap<number, string> {
  const offsets = new Map<number, string>();
  const end = Math.min(unitsAt, namesAt + mostNameBytes);
  const overlap = Math.max(...names.map((name) => name.length)) + 2;
  for (let at = namesAt; at < end && offsets.size < names.length; at += portionBytes) {
    const read = reader.source.read(at, Math.min(portionBytes + overlap, end - at));
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.length);
    for (const name of names) {
      const found = bytes.indexOf(`\0${name}\0`, 0, 'latin1');
      if (found >= 0) offsets.set(at + found + 1 - namesAt, name);
    }
  }
  return offsets;
}

/** Fields that are read one after the other, a portion of the file at a time. */
class PortionReader {
  readonly #reader: FieldReader;
  #at = 0;
  #bytes: DataView = new DataView(new ArrayBuffer(0));

  constructor(reader: FieldReader) {
    this.#reader = reader;
  }

  u32(at: number): number {
    if (at < this.#at || at + 4 > this.#at + this.#bytes.byteLength) {
      const read = this.#reader.source.read(at, portionBytes);
      // Says that the table ends before.
      if (read.length < 4) return this.#reader.u32(at);
      this.#at = at;
      this.#bytes = new DataView(read.buffer, read.byteOffset, read.length);
    }
    return this.#bytes.getUint32(at - this.#at, this.#reader.littleEndian);
  }
}
