import {
  type ElfSegment,
  type GoLabels,
  segmentOfFileOffset,
  type ThreadContextSymbol,
  type UnwindRows,
} from '@everflame/binary';
import type { LossCounters } from '../health/counters.ts';
import { maxTables } from '../kernel/generated/abi.ts';
import { ChunkCache, KernelTable } from '../kernel/kernel-table.ts';
import { closeFd } from '../kernel/libc.ts';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import type { Runtime, Runtimes } from '../runtimes/runtimes.ts';
import { ProcessRoots } from '../processes/process-roots.ts';
import { targetOfMapping } from '../symbols/mapping-target.ts';
import { openModule } from '../symbols/module-files.ts';
import { TableClient } from './table-client.ts';
import type { TableContent } from './table-messages.ts';
import { isVdsoOf32Bits, readVdsoContent } from './vdso-content.ts';

/** A file that could not be had is tried again after this time. */
const retryMs = 60_000;
/** Processes that are remembered for having ended before they were asked for their vDSO. */
const mostGone = 256;
/** Modules that are remembered. */
const mostModules = 8192;
/** Files that are open, or waiting for the worker, at a time. */
const mostLoading = 64;
/** A table that was needed this lately is not taken out for another: the two would take turns. */
const keptMs = 20_000;

/** A table in the kernel. A file that is known by inode and by build ID, or at two places, has one. */
export interface LoadedTable {
  readonly slot: number;
  readonly rows: KernelTable;
  readonly byteLength: number;
  readonly modules: Set<TableModule>;
}

/** What is known of how one executable keeps its stacks. */
export interface TableModule {
  readonly key: string;
  state:
    | { readonly kind: 'absent' }
    | { readonly kind: 'loading' }
    | { readonly kind: 'ready'; readonly table: LoadedTable }
    | { readonly kind: 'none'; readonly retryMs: number };
  segments: readonly ElfSegment[];
  /** The runtime that is linked into it. */
  runtime: Runtime | undefined;
  /** Of a Go program that sets labels. */
  goLabels: GoLabels | undefined;
  /** performance.now() */
  usedMs: number;
}

/** Of a process that has mapped the file that defines it. */
export interface ThreadContext {
  readonly symbol: ThreadContextSymbol;
  readonly bias: number;
}

interface SymbolInFile {
  readonly symbol: ThreadContextSymbol;
  readonly segments: readonly ElfSegment[];
}

export interface TableStoreOptions {
  readonly losses: LossCounters;
  readonly runtimes: Runtimes;
  /** The kernel's array of tables. */
  readonly tablesFd: number;
  /** Tables are kept there over restarts; undefined: nowhere. */
  readonly cacheDirectory: string | undefined;
  /** Of all tables in the kernel. Default 32 MiB. */
  readonly budgetBytes?: number;
  /** A module has become ready, or turned out to have no table. */
  readonly onSettled: (module: TableModule) => void;
  /** Called before a table is taken out of the kernel: nothing there may point to its slot any more. */
  readonly onEvict: (module: TableModule) => void;
}

/** Knows which unwind tables the kernel has, has them made on demand, and takes the least recently used out when they are too many. */
export class TableStore {
  readonly #options: TableStoreOptions;
  readonly #budgetBytes: number;
  readonly #client: TableClient;
  readonly #roots = new ProcessRoots();
  readonly #chunks = new ChunkCache();
  readonly #modules = new Map<string, TableModule>();
  /** Asked for at every frame of a new stack. '' for code without a file. */
  readonly #keys = new WeakMap<ProcessMapping, string>();
  /** By build ID, or by the key of the module where the file has none. */
  readonly #tables = new Map<string, LoadedTable>();
  readonly #making = new Map<string, Promise<LoadedTable | undefined>>();
  /** By key of the module. */
  readonly #threadContexts = new Map<string, Promise<SymbolInFile | undefined>>();
  readonly #freeSlots: number[] = [];
  readonly #queue: (() => void)[] = [];
  readonly #gone = new Set<number>();
  #nextSlot = 0;
  #loading = 0;
  #byteLength = 0;
  #version = 0;

  constructor(options: TableStoreOptions) {
    this.#options = options;
    this.#budgetBytes = options.budgetBytes ?? 32 << 20;
    this.#client = new TableClient(options.losses);
  }

  /** Grows whenever a module's state changes. */
  get version(): number {
    return this.#version;
  }

  /** In the kernel. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Undefined for code without a file. */
  moduleOf(mapping: ProcessMapping): TableModule | undefined {
    let key = this.#keys.get(mapping);
    if (key === undefined) this.#keys.set(mapping, (key = keyOf(mapping) ?? ''));
    if (key === '') return undefined;
    let module = this.#modules.get(key);
    if (module === undefined) {
      module = { key, state: { kind: 'absent' }, segments: [], runtime: undefined, goLabels: undefined, usedMs: 0 };
      if (this.#modules.size >= mostModules) this.#forgetOne();
      this.#modules.set(key, module);
    }
    return module;
  }

  /** Address in the process - ELF virtual address; undefined where no segment of the file fits the mapping. */
  biasOf(module: TableModule, mapping: ProcessMapping): number | undefined {
    return biasBy(module.segments, mapping) ?? (mapping.path === '[vdso]' ? Number(mapping.start) : undefined);
  }

  /**
   * The variable by which threads publish their OpenTelemetry contexts, where the mapping's file defines it, and address in the process - ELF virtual address.
   * Files are asked once, those of processes that say that there is one.
   */
  async threadContextOf(process: ProcessView, mapping: ProcessMapping): Promise<ThreadContext | undefined> {
    const key = keyOf(mapping) ?? '';
    let asked = this.#threadContexts.get(key);
    if (asked === undefined) {
      if (this.#threadContexts.size >= mostModules) this.#threadContexts.clear();
      this.#threadContexts.set(key, (asked = this.#readThreadContext(process, mapping)));
    }
    const found = await asked;
    const bias = found === undefined ? undefined : biasBy(found.segments, mapping);
    return found === undefined || bias === undefined ? undefined : { symbol: found.symbol, bias };
  }

  async #readThreadContext(process: ProcessView, mapping: ProcessMapping): Promise<SymbolInFile | undefined> {
    const opened = await openModule(process.pid, mapping, this.#roots.of(process));
    if (opened.status !== 'open') return undefined;
    try {
      const content = { fd: opened.file.handle.fd };
      const reply = await this.#client.request({ kind: 'thread_context', content });
      return reply?.status === 'thread_context' ? reply : undefined;
    } finally {
      await opened.file.handle.close();
    }
  }

  rowsOf(module: TableModule): UnwindRows | undefined {
    return module.state.kind === 'ready' ? module.state.table.rows : undefined;
  }

  /** Has the table made if it is not there; `onSettled` tells when. */
  need(process: ProcessView, mapping: ProcessMapping, module: TableModule): void {
    module.usedMs = performance.now();
    if (this.#gone.has(process.pid) && isVdsoOf32Bits(mapping)) return;
    const { state } = module;
    if (state.kind === 'absent' || (state.kind === 'none' && module.usedMs > state.retryMs)) {
      module.state = { kind: 'loading' };
      void this.#load(process, mapping, module);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
    // Replies are taken in before this goes on.
    await Promise.resolve();
    for (const { rows } of this.#tables.values()) closeFd(rows.fd);
    this.#tables.clear();
    this.#modules.clear();
  }

  async #load(process: ProcessView, mapping: ProcessMapping, module: TableModule): Promise<void> {
    const root = this.#roots.of(process);
    if (this.#loading >= mostLoading) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#loading++;
    try {
      if (mapping.path === '[vdso]') {
        const content = await readVdsoContent(process, mapping);
        if (content === 'gone') this.#leaveToOthers(process, module);
        else if (content === 'none') this.#settle(module, undefined, isVdsoOf32Bits(mapping) ? retryMs : Infinity);
        else await this.#make(module, content, '');
        return;
      }
      let from = 0;
      for (;;) {
        const opened = await openModule(process.pid, mapping, root, from);
        if (opened.status !== 'open') {
          const cause = opened.status === 'failed' ? opened.cause : undefined;
          if (cause !== undefined) this.#options.losses.add('reads_failed', from > 0 ? 'file_changed' : cause);
          this.#settle(module, undefined, cause === undefined ? Infinity : retryMs);
          return;
        }
        try {
          if (await this.#make(module, { fd: opened.file.handle.fd }, mapping.buildId)) return;
        } finally {
          await opened.file.handle.close();
        }
        from = opened.next;
      }
    } finally {
      this.#loading--;
      this.#queue.shift()?.();
    }
  }

  /** The next process that has the same will be asked; what waits for it waits on. */
  #leaveToOthers(process: ProcessView, module: TableModule): void {
    if (this.#gone.size >= mostGone) this.#gone.clear();
    this.#gone.add(process.pid);
    module.state = { kind: 'absent' };
    this.#options.onSettled(module);
  }

  /** False when the file is another than the mapping's, which may lie elsewhere. */
  async #make(module: TableModule, content: TableContent, expectedBuildId: string): Promise<boolean> {
    const reply = await this.#client.request({ kind: 'identify', content, expectedBuildId });
    if (reply?.status !== 'identified') {
      const cause = reply?.status === 'none' ? reply.cause : undefined;
      if (cause === 'file_changed') return false;
      if (cause !== undefined) this.#options.losses.add('reads_failed', cause);
      this.#settle(module, undefined, reply === undefined ? retryMs : Infinity);
      return true;
    }
    module.segments = reply.segments;
    module.runtime = this.#options.runtimes.runtimeOf(reply.runtimes);
    if (reply.goLabels === 'unknown') this.#options.losses.add('runtimes_unknown', 'go_labels');
    else module.goLabels = reply.goLabels;
    const identity = reply.buildId === '' ? module.key : reply.buildId;
    let table = this.#tables.get(identity);
    if (table === undefined) {
      let making = this.#making.get(identity);
      if (making === undefined) {
        making = this.#put(identity, content, reply.size).finally(() => this.#making.delete(identity));
        this.#making.set(identity, making);
      }
      table = await making;
    }
    this.#settle(module, table);
    if (table !== undefined) this.#makeRoom(table);
    return true;
  }

  async #put(identity: string, content: TableContent, size: number): Promise<LoadedTable | undefined> {
    const slot = this.#takeSlot();
    if (slot === undefined) {
      this.#options.losses.add('tables_refused', 'budget');
      return undefined;
    }
    const { tablesFd, cacheDirectory, losses } = this.#options;
    const reply = await this.#client.request({ kind: 'make', content, size, cacheDirectory, tablesFd, slot });
    if (reply?.status !== 'made') {
      this.#freeSlots.push(slot);
      if (reply?.status === 'none' && reply.cause !== undefined) losses.add('reads_failed', reply.cause);
      return undefined;
    }
    const rows = new KernelTable({ ...reply, fd: reply.mapFd }, this.#chunks);
    const table = { slot, rows, byteLength: reply.byteLength, modules: new Set<TableModule>() };
    this.#tables.set(identity, table);
    this.#byteLength += reply.byteLength;
    return table;
  }

  #settle(module: TableModule, table: LoadedTable | undefined, pauseMs = retryMs): void {
    if (table === undefined) {
      module.state = { kind: 'none', retryMs: performance.now() + pauseMs };
    } else {
      table.modules.add(module);
      module.state = { kind: 'ready', table };
    }
    this.#version++;
    this.#options.onSettled(module);
  }

  #takeSlot(): number | undefined {
    return this.#freeSlots.pop() ?? (this.#nextSlot < maxTables ? this.#nextSlot++ : undefined);
  }

  /** Takes out what was used longest ago, never `newest`. */
  #makeRoom(newest: LoadedTable): void {
    if (this.#byteLength <= this.#budgetBytes) return;
    const byUse = [...this.#tables].sort(([, one], [, other]) => usedMs(one) - usedMs(other));
    for (const [identity, table] of byUse) {
      if (this.#byteLength <= this.#budgetBytes) return;
      if (table !== newest && performance.now() - usedMs(table) > keptMs) {
        this.#evict(identity, table, { kind: 'absent' });
      }
    }
    if (this.#byteLength <= this.#budgetBytes) return;
    // All of them are in use: the newcomer has to do without, so that the others go on.
    this.#options.losses.add('tables_refused', 'budget');
    for (const [identity, table] of this.#tables) {
      if (table === newest) this.#evict(identity, table, { kind: 'none', retryMs: performance.now() + retryMs });
    }
  }

  #evict(identity: string, table: LoadedTable, state: TableModule['state']): void {
    this.#tables.delete(identity);
    this.#byteLength -= table.byteLength;
    this.#version++;
    for (const module of table.modules) {
      module.state = state;
      this.#options.onEvict(module);
    }
    const { tablesFd } = this.#options;
    const { slot, rows } = table;
    void this.#client.request({ kind: 'drop', tablesFd, slot, mapFd: rows.fd }).then(() => this.#freeSlots.push(slot));
  }

  #forgetOne(): void {
    for (const [key, { state }] of this.#modules) {
      if (state.kind === 'ready' || state.kind === 'loading') continue;
      this.#modules.delete(key);
      return;
    }
  }
}

function biasBy(segments: readonly ElfSegment[], mapping: ProcessMapping): number | undefined {
  const segment = segmentOfFileOffset({ segments }, mapping.fileOffset);
  if (segment === undefined) return undefined;
  return Number(mapping.start - (segment.virtualAddress + mapping.fileOffset - BigInt(segment.fileOffset)));
}

function usedMs({ modules }: LoadedTable): number {
  let latest = 0;
  for (const module of modules) latest = Math.max(latest, module.usedMs);
  return latest;
}

/** As the symbolizer tells files: by build ID, else by inode. */
function keyOf(mapping: ProcessMapping): string | undefined {
  const { buildId, device, inode, path } = mapping;
  switch (targetOfMapping(mapping)) {
    case 'file':
      return buildId === '' ? `inode:${device}:${inode}:${path}` : `build-id:${buildId}`;
    case 'vdso':
      return isVdsoOf32Bits(mapping) ? 'vdso:32' : 'vdso:64';
    case 'vsyscall':
    case 'anonymous':
    case 'jitdump':
      return undefined;
  }
}
