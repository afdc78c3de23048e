import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface DebuginfodOptions {
  /** Base addresses, as in DEBUGINFOD_URLS. */
  readonly urls: readonly string[];
  /** Created when it is needed. */
  readonly cacheDirectory: string;
  /** Of one file; default 512 MiB. */
  readonly mostFileBytes?: number;
  /** Of all files; the oldest go. Default 2 GiB. */
  readonly mostCacheBytes?: number;
  /** Of one download; default 90 s, as debuginfod's own client has it. */
  readonly timeoutMs?: number;
}

const megabyte = 1024 * 1024;
/** A server that does not have a file is not asked for it again until then. */
const absentMs = 60 * 60_000;
const mostAbsent = 8192;

/**
 * Downloads debug files by build ID from debuginfod servers (https://sourceware.org/elfutils/Debuginfod.html) into a cache on disk. Only the build ID leaves the
 * machine. One download at a time.
 */
export class DebuginfodClient {
  readonly #options: DebuginfodOptions;
  readonly #absent = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DebuginfodOptions) {
    this.#options = options;
  }

  /** The path of the debug file; undefined where no server has it, or it could not be downloaded within the limits. */
  async fetch(buildId: string): Promise<string | undefined> {
    if (!/^[0-9a-f]{8,128}$/.test(buildId)) return undefined;
    const path = join(this.#options.cacheDirectory, `${buildId}.debug`);
    const turn = this.#last.then(async () => this.#fetchOnce(buildId, path));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #fetchOnce(buildId: string, path: string): Promise<string | undefined> {
    if ((await sizeOf(path)) !== undefined) {
      const now = new Date();
      await utimes(path, now, now);
      return path;
    }
    if (performance.now() < (this.#absent.get(buildId) ?? 0)) return undefined;
    for (const url of this.#options.urls) {
      if (await this.#download(url, buildId, path)) {
        await this.#evict(path);
        return path;
      }
    }
    if (this.#absent.size >= mostAbsent) this.#absent.clear();
    this.#absent.set(buildId, performance.now() + absentMs);
    return undefined;
  }

  async #download(url: string, buildId: string, path: string): Promise<boolean> {
    const { cacheDirectory, mostFileBytes = 512 * megabyte, timeoutMs = 90_000 } = this.#options;
    const partial = join(cacheDirectory, `${randomUUID()}.partial`);
    try {
      await mkdir(cacheDirectory, { recursive: true, mode: 0o700 });
      const response = await fetch(`${url.replace(/\/+$/, '')}/buildid/${buildId}/debuginfo`, {
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        return false;
      }
      let length = 0;
      const limit = new Transform({
        transform(chunk: Uint8Array, _encoding, done) {
          length += chunk.length;
          done(length > mostFileBytes ? new Error(`more than ${mostFileBytes} bytes`) : null, chunk);
        },
      });
      await pipeline(Readable.fromWeb(response.body), limit, createWriteStream(partial, { mode: 0o600, flags: 'wx' }));
      await rename(partial, path);
      return true;
    } catch (error) {
      // The network, the limits, the disk: there is no debug file, which is no loss of the profile's.
      if (!(error instanceof Error)) throw error;
      await rm(partial, { force: true });
      return false;
    }
  }

  async #evict(except: string): Promise<void> {
    const { cacheDirectory, mostCacheBytes = 2048 * megabyte } = this.#options;
    const files: { readonly path: string; readonly size: number; readonly usedMs: number }[] = [];
    for (const name of await readdir(cacheDirectory)) {
      const path = join(cacheDirectory, name);
      const found = await sizeOf(path);
      if (found !== undefined && name.endsWith('.debug')) files.push({ path, ...found });
    }
    files.sort((a, b) => a.usedMs - b.usedMs);
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files) {
      if (total <= mostCacheBytes) return;
      if (path === except) continue;
      await rm(path, { force: true });
      total -= size;
    }
  }
}

/** What DEBUGINFOD_URLS says; undefined where it says nothing: nothing is downloaded unless it is asked for. */
export function debuginfodOfEnvironment(environment: NodeJS.ProcessEnv): DebuginfodOptions | undefined {
  const urls = (environment['DEBUGINFOD_URLS'] ?? '').split(/\s+/).filter((url) => /^https?:\/\//.test(url));
  if (urls.length === 0) return undefined;
  return { urls, cacheDirectory: environment['DEBUGINFOD_CACHE_PATH'] ?? '/var/cache/everflame/debuginfod' };
}

async function sizeOf(path: string): Promise<{ readonly size: number; readonly usedMs: number } | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { size, usedMs: mtimeMs };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
