import { readlinkSync, statSync } from 'node:fs';
import { asResult, type Demangler } from '@everflame/binary';
import { JitProcess } from './jit-process.ts';
import { NameList } from './name-list.ts';
import { openUntrusted } from './untrusted-file.ts';
import type { JitNotice, JitProcessId, JitReply, JitRequest } from './worker-messages.ts';

/** Profiles of a process are made up to an interval after its end; its map waits for them this long. */
const keptAfterEndMs = 120_000;
/** Each holds one descriptor while it runs. */
const mostProcesses = 512;

/** The JIT code of the processes that have any. Lives in the worker. */
export class JitStore {
  readonly #budget: number;
  readonly #demangler: Demangler;
  readonly #processes = new Map<string, JitProcess>();
  #failures = 0;

  constructor(budget: number, demangler: Demangler) {
    this.#budget = budget;
    this.#demangler = demangler;
  }

  get size(): number {
    return this.#processes.size;
  }

  get byteLength(): number {
    let total = 0;
    for (const process of this.#processes.values()) total += process.byteLength;
    return total;
  }

  /** Maps that could not be read since the last call. */
  takeFailures(): number {
    const failures = this.#failures;
    this.#failures = 0;
    return failures;
  }

  notice({ process: id, event, dump }: JitNotice, nowMs: number): void {
    if (event === 'gone') {
      const process = this.#processes.get(keyOf(id));
      if (process === undefined) return;
      process.end(nowMs + keptAfterEndMs);
      this.#failures += process.takeFailures();
      return;
    }
    const process = this.#sight(id, nowMs);
    if (dump !== undefined) process.addDump(openUntrusted([dump.mapFile, dump.path], process.owners));
    this.#failures += process.takeFailures();
  }

  name({ process: id, addresses }: JitRequest, nowMs: number): JitReply {
    const process = this.#sight(id, nowMs);
    process.refresh(nowMs);
    const names = new NameList(addresses.length, this.#demangler);
    for (const [i, address] of addresses.entries()) {
      const found = process.find(address);
      if (found !== undefined && found.systemName !== '') names.set(i, found.systemName);
    }
    this.#failures += process.takeFailures();
    this.#makeRoom(nowMs, keyOf(id));
    return { named: names.finish() };
  }

  close(): void {
    for (const process of this.#processes.values()) process.close();
    this.#processes.clear();
  }

  #sight(id: JitProcessId, nowMs: number): JitProcess {
    const key = keyOf(id);
    let process = this.#processes.get(key);
    if (process === undefined) {
      process = new JitProcess(ownersOf(id.pid), (owners) => openUntrusted(mapPaths(id), owners));
      process.refresh(nowMs);
    } else {
      this.#processes.delete(key);
    }
    this.#processes.set(key, process);
    this.#makeRoom(nowMs, key);
    return process;
  }

  #makeRoom(nowMs: number, except: string): void {
    let bytes = this.byteLength;
    for (const [key, process] of this.#processes) {
      if (key === except) continue;
      const isOver = bytes > this.#budget || this.#processes.size > mostProcesses;
      if (!isOver && process.expiresMs > nowMs) continue;
      bytes -= process.byteLength;
      process.close();
      this.#processes.delete(key);
    }
  }
}

function keyOf(id: JitProcessId): string {
  return `${id.pid}:${id.startTimeNs}`;
}

/** Whose files are believed: those of the process's user and of root. */
function ownersOf(pid: number): readonly number[] {
  const stat = asResult(() => statSync(`/proc/${pid}`));
  return stat.ok ? [stat.value.uid, 0] : [0];
}

/**
 * The perf map of a process as seen from here. The second path serves a process that has just ended; it is the same file only where
 * the process shared our root.
 */
function mapPaths({ pid, namespacePid }: JitProcessId): readonly string[] {
  const file = `tmp/perf-${namespacePid}.map`;
  const inside = `/proc/${pid}/root/${file}`;
  const [its, ours] = [`/proc/${pid}`, '/proc/self'].map((base) =>
    asResult(() => `${readlinkSync(`${base}/ns/mnt`)} ${readlinkSync(`${base}/root`)}`),
  );
  const isShared = its?.ok === true && ours?.ok === true && its.value === ours.value;
  return isShared ? [inside, `/${file}`] : [inside];
}
