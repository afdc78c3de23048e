import type { JitCodeTable } from './jit-code-table.ts';

/** Longer lines are cut at reading: no JIT writes a name of 16 KiB. */
const longestLine = 16 * 1024;
const newline = 0x0a;
const space = 0x20;

/**
 * Reads the lines of a perf map, `START SIZE name with spaces` in hex, as they are appended (Linux, `tools/perf/Documentation/jit-interface.txt`).
 * Give it the bytes in order, cut anywhere. Lines that are something else are counted and passed over.
 */
export class PerfMapReader {
  /** Lines that could not be read. */
  malformedLines = 0;
  readonly #table: JitCodeTable;
  #partial: Uint8Array = new Uint8Array(0);

  constructor(table: JitCodeTable) {
    this.#table = table;
  }

  push(bytes: Uint8Array): void {
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(newline, from);
      if (end < 0) break;
      let line = bytes.subarray(from, end);
      if (this.#partial.length > 0) {
        line = Buffer.concat([this.#partial, line]);
        this.#partial = new Uint8Array(0);
      }
      this.#readLine(line);
      from = end + 1;
    }
    if (from < bytes.length && this.#partial.length < longestLine) {
      this.#partial = Buffer.concat([this.#partial, bytes.subarray(from, from + longestLine)]);
    }
  }

  /** The process is gone: what stands at the end without a newline is a line as well. */
  finish(): void {
    if (this.#partial.length > 0) this.#readLine(this.#partial);
    this.#partial = new Uint8Array(0);
  }

  #readLine(line: Uint8Array): void {
    if (line.length === 0) return;
    const start = readHex(line, 0);
    const size = start === undefined ? undefined : readHex(line, start.end);
    if (start === undefined || size === undefined || size.end >= line.length) {
      this.malformedLines++;
      return;
    }
    const last = line[line.length - 1] === 0x0d ? line.length - 1 : line.length;
    this.#table.add(start.value, size.value, line.subarray(size.end, last));
  }
}

/** A hex number (with or without 0x) that ends with a space; `end` is behind that space. */
function readHex(line: Uint8Array, from: number): { readonly value: number; readonly end: number } | undefined {
  let at = from;
  if (line[at] === 0x30 && (line[at + 1] === 0x78 || line[at + 1] === 0x58)) at += 2;
  const first = at;
  let value = 0;
  for (; ; at++) {
    const code = line[at];
    if (code === undefined || at - first > 16) return undefined;
    if (code === space) break;
    const digit = hexDigit(code);
    if (digit === undefined) return undefined;
    value = value * 16 + digit;
  }
  return at === first ? undefined : { value, end: at + 1 };
}

function hexDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : undefined;
}
