import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { adviseNotNeeded, pageBytes, trimMalloc } from './libc.ts';

/** So much more of mapped files than after the last time is worth it: it takes some two milliseconds. */
const worthKb = 6 * 1024;

/**
 * Memory of this process that it does not use. Of the 100 MB of Node.js's own file some 50 are mapped when a program has started, and 17 of them are touched again
 * afterwards; blocks that were freed stay with malloc.
 */
export class OwnMemory {
  #fileKbAfter = 0;

  /** Throws nothing: where /proc is hidden from this process, it is malloc's memory alone. */
  giveBack(): void {
    trimMalloc();
    if (mappedFileKb() - this.#fileKbAfter < worthKb) return;
    for (const { from, to } of ownSegments()) if (isAsInFile(from, to)) adviseNotNeeded(from, Number(to - from));
    this.#fileKbAfter = mappedFileKb();
  }
}

function mappedFileKb(): number {
  return Number(/^RssFile:\s+(?<kb>\d+)/m.exec(textOf('/proc/self/status'))?.groups?.['kb'] ?? 0);
}

const segmentPattern = /^(?<from>[0-9a-f]+)-(?<to>[0-9a-f]+) (?<rights>\S{4}) \S+ \S+ \S+ *(?<path>.*)$/gm;

interface Segment {
  readonly from: bigint;
  readonly to: bigint;
}

/** Of this program's file: what nobody writes to. */
function* ownSegments(): IterableIterator<Segment> {
  for (const { groups = {} } of textOf('/proc/self/maps').matchAll(segmentPattern)) {
    const { from = '', to = '', rights = '', path = '' } = groups;
    if (path !== process.execPath || rights[1] === 'w' || rights[3] !== 'p') continue;
    yield { from: BigInt(`0x${from}`), to: BigInt(`0x${to}`) };
  }
}

/** High words of an entry of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst). */
const isPresent = 1 << 31;
const isSwapped = 1 << 30;
const isOfFile = 1 << 29;

/** Whether no page was copied, for a relocation or a breakpoint: what is not needed is read from the file again. */
function isAsInFile(from: bigint, to: bigint): boolean {
  const entries = pagemapOf(from, to);
  if (entries === undefined) return false;
  for (let at = 1; at < entries.length; at += 2) {
    const entry = entries[at] ?? 0;
    if ((entry & isSwapped) !== 0 || (entry & (isPresent | isOfFile)) === isPresent) return false;
  }
  return true;
}

/** Undefined where it cannot be read. */
function pagemapOf(from: bigint, to: bigint): Int32Array | undefined {
  const pages = Number(to - from) / pageBytes;
  const bytes = new Uint8Array(pages * 8);
  try {
    const fd = openSync('/proc/self/pagemap', 'r');
    try {
      const position = (from / BigInt(pageBytes)) * 8n;
      for (let length = 0; length < bytes.length;) {
        const read = readSync(fd, bytes, length, bytes.length - length, position + BigInt(length));
        if (read === 0) return undefined;
        length += read;
      }
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
  return new Int32Array(bytes.buffer);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
