import { constants } from 'node:fs';
import { type FileHandle, open, opendir, readlink } from 'node:fs/promises';
import { posix } from 'node:path';

/** Linux: the descriptor names a file without opening it, so that no device or FIFO notices. The same on x86-64 and arm64. */
const oPath = 0o10000000;
/** As the kernel's own limit (path_resolution(7)). */
const mostLinks = 40;
/** Files and folders that may be opened on behalf of one process: a walk up from a script takes about five for each level. */
const mostOpens = 400;
/** All that is read for one process. */
const mostBytes = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;

/** A file that is open for reading. */
export interface RootFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/**
 * Files as one process sees them, below `root` (/proc/PID/root). Whoever writes them may be hostile: links are followed here, step by step and never out of
 * the root; each step is a descriptor of its own, so that nothing can be exchanged between look and use; only regular files are opened. What was
 * opened and read for the process is bounded: beyond it nothing is there any more, and `isExhausted` says so.
 *
 * All waiting is Node's thread pool's.
 */
export class RootFiles {
  readonly #root: FileHandle;
  #opens = 0;
  #bytes = 0;

  private constructor(root: FileHandle) {
    this.#root = root;
  }

  /** Undefined when the process is gone or may not be looked into. */
  static async of(root: string): Promise<RootFiles | undefined> {
    const handle = await expected(open(root, oPath | constants.O_DIRECTORY));
    return handle === undefined ? undefined : new RootFiles(handle);
  }

  get isExhausted(): boolean {
    return this.#opens >= mostOpens || this.#bytes >= mostBytes;
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  /** The text of a regular file of at most `limit` bytes; undefined for anything else. */
  async readText(path: string, limit: number): Promise<string | undefined> {
    return this.withFile(path, async ({ size, handle }) => {
      if (size > limit) return undefined;
      // In /proc and /sys a file's size is not its length: read until the end.
      const buffer = Buffer.alloc(Math.min(limit, size === 0 ? chunkBytes : size));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      this.#bytes += bytesRead;
      return buffer.toString('utf8', 0, bytesRead);
    });
  }

  /** Runs `use` on an open regular file and closes it. */
  async withFile<T>(path: string, use: (file: RootFile) => Promise<T | undefined>): Promise<T | undefined> {
    const found = await this.#find(path);
    if (found === undefined) return undefined;
    let handle: FileHandle | undefined;
    try {
      const stat = await found.stat();
      if (!stat.isFile()) return undefined;
      handle = await expected(open(`/proc/self/fd/${found.fd}`, constants.O_RDONLY | constants.O_NONBLOCK));
      return handle === undefined ? undefined : await expected(use({ handle, size: stat.size }));
    } finally {
      await handle?.close();
      await found.close();
    }
  }

  /** Names in a folder, at most `limit` of them in the folder's own order; undefined where there is none. */
  async list(path: string, limit: number): Promise<string[] | undefined> {
    const found = await this.#find(path);
    if (found === undefined) return undefined;
    try {
      const folder = await expected(opendir(`/proc/self/fd/${found.fd}`, { bufferSize: 256 }));
      if (folder === undefined) return undefined;
      const names: string[] = [];
      try {
        while (names.length < limit) {
          const entry = await expected(folder.read());
          if (entry === undefined || entry === null) break;
          names.push(entry.name);
        }
      } finally {
        await folder.close();
      }
      return names;
    } finally {
      await found.close();
    }
  }

  /** A descriptor of what an absolute path leads to; the caller closes it. */
  async #find(path: string): Promise<FileHandle | undefined> {
    let pending = components(path);
    /** Where the walk is: the folders from the root on, which is not among them. */
    const walked: FileHandle[] = [];
    let links = 0;
    let found: FileHandle | undefined;
    try {
      while (pending.length > 0) {
        const [name = '', ...rest] = pending;
        if (name === '..') {
          await walked.pop()?.close();
          pending = rest;
          continue;
        }
        if (this.isExhausted) return undefined;
        this.#opens++;
        const parent = walked.at(-1) ?? this.#root;
        const step = `/proc/self/fd/${parent.fd}/${name}`;
        const handle = await expected(open(step, oPath | constants.O_NOFOLLOW));
        if (handle === undefined) return undefined;
        walked.push(handle);
        const stat = await handle.stat();
        if (stat.isSymbolicLink()) {
          await walked.pop()?.close();
          const target = ++links > mostLinks ? undefined : await expected(readlink(step));
          if (target === undefined) return undefined;
          if (posix.isAbsolute(target)) await closeAll(walked);
          pending = [...components(target), ...rest];
        } else {
          pending = rest;
        }
      }
      found = walked.pop();
      return found;
    } finally {
      await closeAll(walked);
    }
  }
}

/** A path may have 4,096 bytes, so 2,048 components; deeper ones than this hold no program. */
const mostComponents = 256;

function components(path: string): string[] {
  return path
    .split('/', mostComponents)
    .filter((name) => name !== '' && name !== '.')
    .map((name) => (name.includes('\0') ? '' : name));
}

async function closeAll(handles: FileHandle[]): Promise<void> {
  for (const handle of handles.splice(0)) await handle.close();
}

/** What the operating system refuses (gone, no permission, a damaged disk, a link where none was) is undefined; a fault of ours is thrown. */
export async function expected<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
}
