import { existsSync, openSync, closeSync, readSync, statSync } from 'node:fs';

import { readelfRows } from '../../judges/readelf-frames.ts';
import { drawStack } from './judge-stacks.ts';
import type { PlantedTruth } from './planted-truth.ts';
import type { SeenFrame, SeenStack } from './seen-stacks.ts';

/** Where a stack begins, by name: the C runtimes' and Go's. Go's system stacks begin at mstart, rt0_go, or where mcall enters them anew. */
const rootNames: ReadonlySet<string> = new Set(
  [
    '_start _start_c clone __clone clone3 __clone3 __GI___clone __GI___clone3 __clone_internal start_thread',
    // musl's C library has no unwind tables; where it calls main is where they begin.
    'libc_start_main_stage2',
    '__start_context _dl_start_user _rt0_amd64_linux _rt0_amd64',
    'runtime.goexit runtime.goexit.abi0 runtime.mstart runtime.mstart.abi0 runtime.mcall runtime.rt0_go runtime.rt0_go.abi0',
  ].flatMap((names) => names.split(' ')),
);

/** Bytes after an executable's entry that are its start-up code: `_start`, in the dynamic linker also what follows it. */
const entryBytes = 96n;

interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Judges whether stacks are complete: whether their first frame is where a thread begins. For files without names this is read
 * from the file: its entry point, and the functions whose frame description says that nobody called them.
 */
export class StackRoots {
  readonly #ranges = new Map<string, readonly Range[]>();

  async judge(
    stacks: readonly SeenStack[],
    truth?: PlantedTruth,
  ): Promise<{ complete: number; incomplete: number; examples: string[] }> {
    const examples: string[] = [];
    let [complete, incomplete] = [0, 0];
    for (const { user, count } of stacks) {
      const [first, second] = user;
      if (first === undefined) continue;
      const isOwnRoot = [first, second].some((frame) => frame !== undefined && truth?.roots.has(frame.name) === true);
      if (isOwnRoot || (await this.#isRoot(first))) complete += count;
      else {
        incomplete += count;
        if (examples.length < 5) examples.push(drawStack(user));
      }
    }
    return { complete, incomplete, examples };
  }

  async #isRoot(frame: SeenFrame): Promise<boolean> {
    if (rootNames.has(frame.name)) return true;
    let ranges = this.#ranges.get(frame.file);
    if (ranges === undefined) {
      ranges = await rootRanges(frame.file);
      this.#ranges.set(frame.file, ranges);
    }
    return ranges.some(({ from, to }) => frame.address >= from && frame.address < to);
  }
}

async function rootRanges(file: string): Promise<Range[]> {
  if (!file.startsWith('/') || !existsSync(file) || !statSync(file).isFile()) return [];
  const entry = entryPoint(file);
  const rows = await readelfRows(file, 'rbp');
  const undescribed = rows
    .filter((row) => row.ra === 'u')
    .map(({ start, end }) => ({ from: BigInt(start), to: BigInt(end) }));
  return entry === 0n ? undescribed : [{ from: entry, to: entry + entryBytes }, ...undescribed];
}

/** e_entry of an ELF file, 0 in a library. */
function entryPoint(file: string): bigint {
  const header = Buffer.alloc(32);
  const fd = openSync(file, 'r');
  try {
    readSync(fd, header, 0, header.length, 0);
  } finally {
    closeSync(fd);
  }
  if (header.readUInt32BE(0) !== 0x7f454c46) throw new Error(`${file} is no ELF file`);
  return header[4] === 2 ? header.readBigUInt64LE(24) : BigInt(header.readUInt32LE(24));
}
