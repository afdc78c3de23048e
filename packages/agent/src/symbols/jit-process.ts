import { closeSync, fstatSync, readSync } from 'node:fs';
import {
  asResult,
  FileSource,
  type FoundFunction,
  JitCodeTable,
  JitDumpReader,
  PerfMapReader,
} from '@everflame/binary';
import type { Opened } from './untrusted-file.ts';

/** Maps are looked at again at most this often. */
const refreshMs = 1000;
/** Of a perf map or a jitdump, in bytes: some four times what the largest services write. */
const mostBytes = 256 * 1024 * 1024;
/** Bytes of a map's begin that tell whether it was written anew. */
const headBytes = 64;
const chunkBytes = 256 * 1024;
/** Jitdumps of one process; one is usual. */
const mostDumps = 4;

interface OpenMap {
  readonly fd: number;
  readonly reader: PerfMapReader;
  head: Buffer;
  at: number;
}

/** What is known of one process's JIT code: its perf map, which grows or is written anew, and its jitdumps. */
export class JitProcess {
  /** When it may be forgotten; Infinity while it runs. */
  expiresMs = Infinity;
  readonly owners: readonly number[];
  readonly #openMap: (owners: readonly number[]) => Opened;
  readonly #dumps: {
    readonly fd: number;
    readonly reader: JitDumpReader;
    readonly table: JitCodeTable;
    isBroken: boolean;
  }[] = [];
  #mapTable = new JitCodeTable();
  #map: OpenMap | undefined;
  #isRefused = false;
  #isCut = false;
  #refreshedMs = -Infinity;
  #failures = 0;

  constructor(owners: readonly number[], openMap: (owners: readonly number[]) => Opened) {
    this.owners = owners;
    this.#openMap = openMap;
  }

  get byteLength(): number {
    return this.#dumps.reduce((sum, { table }) => sum + table.byteLength, this.#mapTable.byteLength);
  }

  takeFailures(): number {
    const failures = this.#failures;
    this.#failures = 0;
    return failures;
  }

  addDump(opened: Opened): void {
    if (opened === 'absent') return;
    if (opened === 'refused' || this.#dumps.length === mostDumps) {
      if (opened !== 'refused') closeSync(opened.fd);
      this.#failures++;
      return;
    }
    const table = new JitCodeTable();
    this.#dumps.push({ fd: opened.fd, reader: new JitDumpReader(table), table, isBroken: false });
    this.#readDumps();
  }

  /** Reads what was written since the last time, unless that was a moment ago. */
  refresh(nowMs: number): void {
    if (this.expiresMs !== Infinity || nowMs - this.#refreshedMs < refreshMs) return;
    this.#refreshedMs = nowMs;
    this.#readMap();
    this.#readDumps();
  }

  /** The process has ended: reads a last time and lets go of its files. */
  end(expiresMs: number): void {
    this.#readMap();
    this.#map?.reader.finish();
    this.#readDumps();
    this.close();
    this.expiresMs = expiresMs;
  }

  find(address: bigint): FoundFunction | undefined {
    for (const { table } of this.#dumps) {
      const found = table.find(address);
      if (found !== undefined) return found;
    }
    return this.#mapTable.find(address);
  }

  close(): void {
    if (this.#map !== undefined) closeSync(this.#map.fd);
    this.#map = undefined;
    for (const dump of this.#dumps) {
      if (!dump.isBroken) closeSync(dump.fd);
      dump.isBroken = true;
    }
  }

  #readMap(): void {
    if (this.#map === undefined) {
      const opened = this.#openMap(this.owners);
      if (opened === 'refused' && !this.#isRefused) {
        this.#isRefused = true;
        this.#failures++;
      }
      if (opened === 'absent' || opened === 'refused') return;
      this.#map = this.#startMap(opened.fd);
    }
    const read = asResult(() => this.#readMapOn());
    if (!read.ok) this.#failures++;
  }

  #startMap(fd: number): OpenMap {
    this.#mapTable = new JitCodeTable();
    return { fd, reader: new PerfMapReader(this.#mapTable), head: Buffer.alloc(0), at: 0 };
  }

  #readMapOn(): void {
    let map = this.#map;
    if (map === undefined) return;
    const { size } = fstatSync(map.fd);
    const head = Buffer.alloc(map.head.length);
    readSync(map.fd, head, 0, head.length, 0);
    if (size < map.at || !head.equals(map.head)) map = this.#map = this.#startMap(map.fd);
    const chunk = Buffer.allocUnsafe(chunkBytes);
    while (map.at < Math.min(size, mostBytes) && !this.#mapTable.isFull) {
      const count = readSync(map.fd, chunk, 0, chunk.length, map.at);
      if (count === 0) break;
      if (map.head.length < headBytes && map.at <= headBytes) {
        map.head = Buffer.concat([map.head, chunk.subarray(0, count)]).subarray(0, headBytes);
        map.head = Buffer.from(map.head);
      }
      map.reader.push(chunk.subarray(0, count));
      map.at += count;
    }
    if (map.at >= mostBytes || this.#mapTable.isFull) this.#countOnce();
  }

  #countOnce(): void {
    if (!this.#isCut) this.#failures++;
    this.#isCut = true;
  }

  #readDumps(): void {
    for (const dump of this.#dumps) {
      if (dump.isBroken) continue;
      const source = asResult(() => new FileSource(dump.fd));
      const read = source.ok ? dump.reader.read(source.value) : source;
      if (read.ok) continue;
      this.#failures++;
      dump.isBroken = true;
      closeSync(dump.fd);
    }
  }
}
