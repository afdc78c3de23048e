import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { damagedFile, explained } from './database.ts';
import type { StorageError } from '../storage.ts';

const headerBytes = 32;
const frameHeaderBytes = 24;

/**
 * After a crash SQLite reads its log up to the first frame whose checksum is wrong and forgets the rest in silence. That is right for
 * a commit that was cut off, and wrong for a flipped bit, behind which whole commits stand that were acknowledged. A commit is synced before
 * the next begins, so that two commits from the bad frame on mean damage; so does one behind it when the machine has run
 * since, as a killed process leaves its writes in their order.
 *
 * Layout and checksums: https://sqlite.org/fileformat2.html#the_write_ahead_log
 *
 * @returns null when nothing is wrong, or when there is no log
 */
export function logDamage(dataDir: string): StorageError | null {
  return explained(dataDir, () => {
    const fd = openLog(dataDir);
    if (fd === null) return null;
    try {
      const { size, mtimeMs } = fstatSync(fd);
      const log = new Log(fd, size);
      const bad = log.firstBadFrame();
      if (bad === null) return null;
      const { commits, isCommit } = log.commitsFrom(bad);
      const hasRunSince = mtimeMs > Date.now() - uptime() * 1000;
      if (commits === 0 || (commits === 1 && (isCommit || !hasRunSince))) return null;
      const reason = `the checksum at byte ${log.offset(bad)} is wrong, and ${commits} commits from there on would be lost`;
      return damagedFile(
        'everflame.db-wal',
        dataDir,
        reason,
        'move everflame.db-wal away to go on without what was stored last',
      );
    } finally {
      closeSync(fd);
    }
  });
}

function openLog(dataDir: string): number | null {
  try {
    return openSync(join(dataDir, 'everflame.db-wal'), 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

class Log {
  readonly #fd: number;
  readonly #frames: number;
  readonly #frame: DataView;
  readonly #isLittle: boolean;
  readonly #salts: readonly [number, number];
  readonly #header: DataView;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#header = this.#read(0, headerBytes, size);
    const said = this.#header.getUint32(8);
    // 1 stands for 65536. What is no page size is damage, and 4096 is what the data base is made with.
    const pageBytes =
      said === 1 ? 65_536 : said >= 512 && said <= 32_768 && Number.isInteger(Math.log2(said)) ? said : 4096;
    this.#frame = new DataView(new ArrayBuffer(frameHeaderBytes + pageBytes));
    this.#frames = Math.max(0, Math.floor((size - headerBytes) / this.#frame.byteLength));
    this.#isLittle = (this.#header.getUint32(0) & 1) === 0;
    this.#salts = [this.#header.getUint32(16), this.#header.getUint32(20)];
  }

  offset(frame: number): number {
    return frame < 0 ? 0 : headerBytes + frame * this.#frame.byteLength;
  }

  /** Null when all frames of this log are sound; -1 stands for its header. */
  firstBadFrame(): number | null {
    if (this.#frames === 0) return null;
    const sum: [number, number] = [0, 0];
    this.#add(sum, this.#header, 0, 24);
    if (sum[0] !== this.#header.getUint32(24) || sum[1] !== this.#header.getUint32(28)) return -1;
    for (let frame = 0; frame < this.#frames; frame++) {
      this.#load(frame);
      this.#add(sum, this.#frame, 0, 8);
      this.#add(sum, this.#frame, frameHeaderBytes, this.#frame.byteLength);
      if (!this.#isOfThisLog() || sum[0] !== this.#frame.getUint32(16) || sum[1] !== this.#frame.getUint32(20))
        return frame;
    }
    return null;
  }

  /** How many commits end at or behind a frame, and whether the frame itself is the end of one. */
  commitsFrom(bad: number): { readonly commits: number; readonly isCommit: boolean } {
    let [commits, isCommit] = [0, false];
    // Where the header is bad, the first frame says which log it is.
    let salts: readonly [number, number] | null = bad < 0 ? null : this.#salts;
    for (let frame = Math.max(bad, 0); frame < this.#frames; frame++) {
      this.#load(frame);
      salts ??= [this.#frame.getUint32(8), this.#frame.getUint32(12)];
      if (this.#frame.getUint32(8) !== salts[0] || this.#frame.getUint32(12) !== salts[1]) continue;
      if (this.#frame.getUint32(4) === 0) continue;
      commits++;
      if (frame === bad) isCommit = true;
    }
    return { commits, isCommit };
  }

  /** Frames of a log that was begun anew from the front stay behind it, with salts of their own. */
  #isOfThisLog(): boolean {
    return this.#frame.getUint32(8) === this.#salts[0] && this.#frame.getUint32(12) === this.#salts[1];
  }

  #load(frame: number): void {
    const bytes = new Uint8Array(this.#frame.buffer);
    readSync(this.#fd, bytes, 0, bytes.length, this.offset(frame));
  }

  #read(offset: number, length: number, size: number): DataView {
    const bytes = new Uint8Array(length);
    if (size >= length) readSync(this.#fd, bytes, 0, length, offset);
    return new DataView(bytes.buffer);
  }

  #add(sum: [number, number], { buffer }: DataView, from: number, until: number): void {
    const view = new DataView(buffer);
    let [first, second] = sum;
    for (let at = from; at < until; at += 8) {
      first = (first + view.getUint32(at, this.#isLittle) + second) >>> 0;
      second = (second + view.getUint32(at + 4, this.#isLittle) + first) >>> 0;
    }
    sum[0] = first;
    sum[1] = second;
  }
}
