import { asResult, BinaryFormatError, type BinaryResult } from '../binary-error.ts';
import { type ByteSource, viewExactly } from '../byte-source.ts';
import type { JitCodeTable } from './jit-code-table.ts';

const magic = 0x4a69_5444;
const headerBytes = 40;
const prefixBytes = 16;
const records = { load: 0, move: 1, close: 3 } as const;
/** Bytes of a load record before its name. */
const loadBytes = prefixBytes + 40;
const moveBytes = prefixBytes + 48;
const longestName = 16 * 1024;

/**
 * Reads a jitdump file (Linux, `tools/perf/Documentation/jitdump-specification.txt`), of either byte order, as it grows: code loads and
 * moves. Line tables (JIT_CODE_DEBUG_INFO), unwind tables and the code itself are passed over.
 */
export class JitDumpReader {
  /** Whether the JIT has closed the file. */
  closed = false;
  readonly #table: JitCodeTable;
  readonly #nameIds = new Map<bigint, number>();
  #littleEndian = true;
  #at = 0;

  constructor(table: JitCodeTable) {
    this.#table = table;
  }

  /**
   * Reads the records that are complete since the last call; a tail that is still being written is left for the next one. After an error
   * (`malformed`, `unsupported`, `io`) what was read stays valid, and there is no use in reading on.
   */
  read(source: ByteSource): BinaryResult<void> {
    return asResult(() => {
      if (this.#at === 0 && !this.#readHeader(source)) return;
      while (!this.closed && this.#at + prefixBytes <= source.size && !this.#table.isFull) {
        const prefix = viewExactly(source, this.#at, prefixBytes);
        const id = prefix.getUint32(0, this.#littleEndian);
        const size = prefix.getUint32(4, this.#littleEndian);
        if (size < prefixBytes) throw new BinaryFormatError('malformed', `record of ${size} bytes at ${this.#at}`);
        if (this.#at + size > source.size) return;
        this.#readRecord(source, id, size);
        this.#at += size;
      }
    });
  }

  #readHeader(source: ByteSource): boolean {
    if (source.size < headerBytes) return false;
    const header = viewExactly(source, 0, headerBytes);
    if (header.getUint32(0, true) === magic) this.#littleEndian = true;
    else if (header.getUint32(0, false) === magic) this.#littleEndian = false;
    else throw new BinaryFormatError('malformed', 'no jitdump magic');
    const version = header.getUint32(4, this.#littleEndian);
    if (version !== 1) throw new BinaryFormatError('unsupported', `jitdump version ${version}`);
    const size = header.getUint32(8, this.#littleEndian);
    if (size < headerBytes) throw new BinaryFormatError('malformed', `jitdump header of ${size} bytes`);
    this.#at = size;
    return true;
  }

  #readRecord(source: ByteSource, id: number, size: number): void {
    if (id === records.close) {
      this.closed = true;
    } else if (id === records.load && size > loadBytes) {
      const view = viewExactly(source, this.#at, Math.min(size, loadBytes + longestName));
      const [start, length] = [this.#field(view, 32), this.#field(view, 40)];
      const name = new Uint8Array(view.buffer, view.byteOffset + loadBytes, view.byteLength - loadBytes);
      const nameId = this.#table.add(start, length, name);
      if (nameId !== undefined) this.#nameIds.set(view.getBigUint64(48, this.#littleEndian), nameId);
    } else if (id === records.move && size >= moveBytes) {
      const view = viewExactly(source, this.#at, moveBytes);
      const nameId = this.#nameIds.get(view.getBigUint64(56, this.#littleEndian));
      if (nameId !== undefined) this.#table.addNamed(this.#field(view, 40), this.#field(view, 48), nameId);
    }
  }

  /** Beyond 2^53 it loses bits, and the table refuses it. */
  #field(view: DataView, at: number): number {
    return Number(view.getBigUint64(at, this.#littleEndian));
  }
}
