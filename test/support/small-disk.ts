import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { waitFor } from './wait-for.ts';

/** A file system of its own in a file, for a disk that is full or fails. Needs root. */
export class SmallDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly #root: string;
  readonly #image: string;

  constructor(bytes: number) {
    this.#root = mkdtempSync(join(tmpdir(), 'everflame-disk-'));
    this.#image = join(this.#root, 'image');
    this.path = join(this.#root, 'mounted');
    mkdirSync(this.path);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, bytes);
    // Blocks as large as pages, as on large disks: SQLite makes sure of room for its shared memory by one byte in each page.
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', '-b', '4096', this.#image]);
    this.mount();
  }

  mount(): void {
    execFileSync('mount', ['-o', 'loop,errors=remount-ro', this.#image, this.path]);
  }

  /** A process that was killed holds it for a moment. */
  async unmount(): Promise<void> {
    await waitFor(`${this.path} to be let go`, () =>
      spawnSync('umount', [this.path]).status === 0 ? true : undefined,
    );
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  /** Leaves so much room. */
  fill(freeBytes = 0): void {
    const fd = openSync(this.#ballast, 'w');
    const piece = Buffer.alloc(4096);
    try {
      for (let rest = this.freeBytes - freeBytes; rest >= piece.length; rest -= piece.length) writeSync(fd, piece);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** Makes room again. */
  drain(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** Makes ext4 find an error in itself, upon which it is read-only until it is mounted anew. */
  fail(): void {
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[1] === this.path);
    const device = basename(mount?.split(' ')[0] ?? '');
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'by the test');
  }

  async remove(): Promise<void> {
    await this.unmount();
    rmSync(this.#root, { recursive: true });
  }

  get #ballast(): string {
    return join(this.path, 'ballast');
  }
}
