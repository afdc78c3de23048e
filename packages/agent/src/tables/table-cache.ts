import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { asResult, deserializeUnwindTable, serializeUnwindTable, type UnwindTable } from '@everflame/binary';

/** The tables of a few hundred executables; libLLVM's, the largest in common use, has 7 MB. */
const mostBytes = 256 << 20;

/**
 * Tables on disk, one file for each build ID, so that a restarted agent need not make them again. The files carry a version and a checksum:
 * whatever is wrong with one, the table is made anew.
 */
export class TableCache {
  readonly #directory: string;

  /** Removes what was used longest ago where it is more than the limit. */
  constructor(directory: string) {
    this.#directory = directory;
    const files = asResult(() => readdirSync(directory).map((name) => fileAt(join(directory, name))));
    let bytes = 0;
    for (const file of files.ok ? files.value.sort((a, b) => b.usedMs - a.usedMs) : []) {
      bytes += file.bytes;
      if (bytes > mostBytes) asResult(() => rmSync(file.path));
    }
  }

  /** Undefined when there is none that can be used. */
  read(buildId: string): UnwindTable | undefined {
    const path = this.#pathOf(buildId);
    const bytes = asResult(() => readFileSync(path));
    const table = bytes.ok ? deserializeUnwindTable(bytes.value) : bytes;
    if (!table.ok) return undefined;
    const now = new Date();
    asResult(() => utimesSync(path, now, now));
    return table.value;
  }

  /** A reader sees the whole file or none. That it could not be kept costs time at the next start, nothing else. */
  write(buildId: string, table: UnwindTable): void {
    asResult(() => {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      const temporary = `${this.#pathOf(buildId)}.${process.pid}`;
      const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
      try {
        const bytes = serializeUnwindTable(table);
        for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      } finally {
        closeSync(fd);
      }
      renameSync(temporary, this.#pathOf(buildId));
    });
  }

  #pathOf(buildId: string): string {
    return join(this.#directory, `${buildId}.unwind`);
  }
}

function fileAt(path: string): { readonly path: string; readonly bytes: number; readonly usedMs: number } {
  const { size, mtimeMs } = statSync(path);
  return { path, bytes: size, usedMs: mtimeMs };
}
