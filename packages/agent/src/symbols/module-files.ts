import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ProcessMapping } from '../processes/process.ts';
import { shownPath, withoutDeletedMark } from './mapping-target.ts';

/** An open file, and what tells whether a file of the same name is still the same. */
export interface ModuleFile {
  readonly handle: FileHandle;
  /** Inode, size and time of change. */
  readonly stamp: string;
}

export type OpenedModule =
  /** `next`: from which place on to look, if the reader finds another build ID in this one. */
  | { readonly status: 'open'; readonly file: ModuleFile; readonly next: number }
  /** A device, a directory, a FIFO. */
  | { readonly status: 'not_regular' }
  | { readonly status: 'failed'; readonly cause: 'permission' | 'file_gone' };

/**
 * Opens the file of a mapping: through the process (also where it is deleted or in another mount namespace), else, for a process that is gone
 * already, at its path. There the build ID, which the reader compares, or the inode must prove that it is the same file. Where the process
 * has since mapped something else at that address, the first place has another build ID, and the next ones are to be tried.
 * Opening waits in Node's thread pool, never in this thread: a file system in user space may take its time.
 */
export async function openModule(
  pid: number,
  mapping: ProcessMapping,
  processRoot: string,
  from = 0,
): Promise<OpenedModule> {
  const path = withoutDeletedMark(mapping.path);
  const places: { readonly path: string; readonly isProven: boolean }[] = [
    { path: `/proc/${pid}/map_files/${mapping.start.toString(16)}-${mapping.end.toString(16)}`, isProven: true },
  ];
  if (!path.startsWith('/memfd:')) {
    places.push({ path: `/proc/${pid}/root${shownPath(path, processRoot)}`, isProven: mapping.buildId !== '' });
    places.push({ path, isProven: mapping.buildId !== '' });
  }
  let cause: 'permission' | 'file_gone' = 'file_gone';
  for (const [index, place] of places.entries()) {
    if (index < from) continue;
    const opened = await tryOpen(place.path);
    if (typeof opened === 'string') {
      if (opened === 'permission') cause = 'permission';
      continue;
    }
    const { handle, stat } = opened;
    const isOther = !place.isProven && stat.ino !== mapping.inode;
    if (!isOther && stat.isFile()) {
      return { status: 'open', file: { handle, stamp: `${stat.ino}:${stat.size}:${stat.mtimeNs}` }, next: index + 1 };
    }
    await handle.close();
    if (!isOther) return { status: 'not_regular' };
  }
  return { status: 'failed', cause };
}

async function tryOpen(
  path: string,
): Promise<{ readonly handle: FileHandle; readonly stat: BigIntStats } | 'permission' | 'file_gone'> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return { handle, stat: await handle.stat({ bigint: true }) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === undefined) throw error;
    await handle?.close();
    return code === 'EACCES' || code === 'EPERM' ? 'permission' : 'file_gone';
  }
}
