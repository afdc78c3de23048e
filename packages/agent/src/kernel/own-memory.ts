import { readFileSync } from 'node:fs';
import { adviseNotNeeded, trimMalloc } from './libc.ts';

/** So much more of mapped files than after the last time is worth it: it takes three milliseconds. */
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
    for (const { from, to } of ownSegments()) adviseNotNeeded(from, Number(to - from));
    this.#fileKbAfter = mappedFileKb();
  }
}

function mappedFileKb(): number {
  return Number(/^RssFile:\s+(?<kb>\d+)/m.exec(textOf('/proc/self/status'))?.groups?.['kb'] ?? 0);
}

const head = /^(?<from>[0-9a-f]+)-(?<to>[0-9a-f]+) (?<rights>\S{4}) \S+ \S+ \S+ *(?<path>.*)$/;

interface Segment {
  readonly from: bigint;
  readonly to: bigint;
}

/** Of this program's file: what nobody writes to, and of which no page was copied, for a relocation or a breakpoint. */
function* ownSegments(): IterableIterator<Segment> {
  let segment: Segment | undefined;
  for (const line of textOf('/proc/self/smaps').split('\n')) {
    const groups = head.exec(line)?.groups;
    if (groups !== undefined) {
      const { from = '', to = '', rights = '', path = '' } = groups;
      const isOurs = path === process.execPath && rights[1] === '-' && rights[3] === 'p';
      segment = isOurs ? { from: BigInt(`0x${from}`), to: BigInt(`0x${to}`) } : undefined;
    } else if (segment !== undefined && /^Anonymous:\s+0 kB/.test(line)) yield segment;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
