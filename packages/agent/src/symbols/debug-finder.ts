import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import type { DebuginfodClient } from './debuginfod-client.ts';
import { shownPath, withoutDeletedMark } from './mapping-target.ts';
import type { DebugNeeds } from './worker-messages.ts';

/** A file that may have the debugging information of a module; its path as the process sees it. */
export interface FoundDebugFile {
  readonly handle: FileHandle;
  readonly path: string;
}

/** Looks for debug files, in the process's root first, then in ours. Opening waits in Node's thread pool. */
export class DebugFinder {
  readonly debugDirectory: string;
  readonly #debuginfod: DebuginfodClient | undefined;

  constructor(debugDirectory: string, debuginfod: DebuginfodClient | undefined) {
    this.debugDirectory = debugDirectory;
    this.#debuginfod = debuginfod;
  }

  /** What stands before a path to find it: in the mount namespace of the process, and in ours. */
  rootsOf(process: ProcessView): readonly string[] {
    return [`/proc/${process.pid}/root`, '/'];
  }

  /**
   * Files in the order of gdb's search: by build ID, then by the name in `.gnu_debuglink` beside the program, in `.debug` and under the debug directory; at last from a
   * debuginfod server. The caller closes each, and checks that it belongs to the module.
   */
  async *find(
    process: ProcessView,
    mapping: ProcessMapping,
    processRoot: string,
    buildId: string,
    needs: DebugNeeds,
  ): AsyncGenerator<FoundDebugFile> {
    const directory = dirname(shownPath(withoutDeletedMark(mapping.path), processRoot));
    const paths: string[] = [];
    if (/^[0-9a-f]{4,}$/.test(buildId)) {
      paths.push(join(this.debugDirectory, '.build-id', buildId.slice(0, 2), `${buildId.slice(2)}.debug`));
    }
    if (needs.link !== undefined) {
      const { name } = needs.link;
      paths.push(join(directory, name), join(directory, '.debug', name), join(this.debugDirectory, directory, name));
    }
    for (const root of this.rootsOf(process)) {
      for (const path of paths) {
        const handle = await openRegular(join(root, path));
        if (handle !== undefined) yield { handle, path };
      }
    }
    const cached = await this.#debuginfod?.fetch(buildId);
    const handle = cached === undefined ? undefined : await openRegular(cached);
    if (handle !== undefined && cached !== undefined) yield { handle, path: cached };
  }
}

async function openRegular(path: string): Promise<FileHandle | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if ((await handle.stat()).isFile()) return handle;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
  await handle?.close();
  return undefined;
}
