import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Directories beyond these are not looked at: a walk costs about 10 µs for each. */
const maxDirectories = 20_000;
/** Paths of cgroups that are gone are kept, since their last samples come after their end, until there are so many. */
const maxPaths = 50_000;
const minWalkIntervalMs = 1_000;

/**
 * Paths of cgroups by id, for processes that are gone: the id that the kernel puts into a sample is the inode number of the
 * cgroup's directory in the unified hierarchy. A miss walks the hierarchy, at most once a second.
 */
export class CgroupTree {
  /** Of the unified hierarchy; undefined on a host without one. */
  readonly root: string | undefined;
  readonly #nowMs: () => number;
  #paths = new Map<bigint, string>();
  #lastWalkMs = -Infinity;

  /** `procRoot` as for the identity source: the host's hierarchy is seen through the root of process 1, also from a container. */
  constructor(procRoot: string, nowMs: () => number) {
    this.#nowMs = nowMs;
    const mounts = [`${procRoot}/1/root/sys/fs/cgroup`, '/sys/fs/cgroup'];
    this.root = mounts
      .flatMap((mount) => [mount, `${mount}/unified`])
      .find((directory) => existsSync(`${directory}/cgroup.procs`) && existsSync(`${directory}/cgroup.controllers`));
  }

  /** As /proc/PID/cgroup would say it: '/system.slice/nginx.service'. Undefined when there is no such cgroup (any more). */
  pathOf(cgroupId: bigint): string | undefined {
    const known = this.#paths.get(cgroupId);
    if (known !== undefined || this.root === undefined) return known;
    const nowMs = this.#nowMs();
    if (nowMs - this.#lastWalkMs < minWalkIntervalMs) return undefined;
    this.#lastWalkMs = nowMs;
    this.#walk(this.root);
    return this.#paths.get(cgroupId);
  }

  /** Whether `unifiedPath`, as /proc/PID/cgroup says it, is the cgroup of that id. */
  isPathOf(unifiedPath: string, cgroupId: bigint): boolean {
    return this.root !== undefined && inodeOf(this.root + unifiedPath) === cgroupId;
  }

  #walk(root: string): void {
    if (this.#paths.size > maxPaths) this.#paths = new Map();
    const pending = ['/'];
    for (let walked = 0; walked < maxDirectories; walked++) {
      const directory = pending.pop();
      if (directory === undefined) return;
      const inode = inodeOf(root + directory);
      if (inode === undefined) continue;
      this.#paths.set(inode, directory);
      for (const entry of entriesOf(root + directory)) {
        if (entry.isDirectory()) pending.push(path.posix.join(directory, entry.name));
      }
    }
  }
}

/** Undefined for a directory that has gone, as cgroups do at any time. */
function inodeOf(directory: string): bigint | undefined {
  return statSync(directory, { bigint: true, throwIfNoEntry: false })?.ino;
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENODEV')) return [];
    throw error;
  }
}
