import type { LossCounters } from '../health/counters.ts';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import { createModule, type Module } from './module.ts';
import { type ModuleFile, openModule } from './module-files.ts';
import type { SymbolClient } from './symbol-client.ts';

/** A file that could not be had is tried again after this time, or when a new process maps it. */
const retryMs = 60_000;
/** Files without build ID are known by inode, and compared with what is there at most this often. */
const recheckMs = 5000;
/** Files that are open at a time to be read. */
const mostOpen = 128;
/** Files that are held open until an address needs them: they can be named when process and file are gone. */
const mostHeld = 512;
/** A deleted file that is held keeps its place on the disk. After this time it is read instead. */
const holdDeletedMs = 60_000;
/** Modules that are remembered; each has less than a kilobyte beside its named locations. */
const mostModules = 8192;

/** A file that nothing has asked about yet. */
interface HeldFile {
  readonly file: ModuleFile;
  /** From which place on to look, if this one has another build ID. */
  readonly next: number;
  readonly process: ProcessView;
  readonly mapping: ProcessMapping;
  readonly sinceMs: number;
}

/**
 * Knows the files that are mapped executable and has them read by the worker: those that an address fell into. Of a hundred files that are mapped
 * on an ordinary host a dozen run; the others cost a descriptor.
 */
export class ModuleLoader {
  readonly #client: SymbolClient;
  readonly #losses: LossCounters;
  readonly #rootOf: (process: ProcessView) => string;
  readonly #modules = new Map<string, Module>();
  readonly #queue: (() => void)[] = [];
  readonly #held = new Map<Module, HeldFile>();
  #open = 0;
  #sweptMs = performance.now();
  #isClosed = false;

  constructor(client: SymbolClient, losses: LossCounters, rootOf: (process: ProcessView) => string) {
    this.#client = client;
    this.#losses = losses;
    this.#rootOf = rootOf;
  }

  get modules(): Iterable<Module> {
    return this.#modules.values();
  }

  moduleOf(mapping: ProcessMapping): Module {
    const { buildId, device, inode, path } = mapping;
    const key = buildId === '' ? `inode:${device}:${inode}:${path}` : `build-id:${buildId}`;
    let module = this.#modules.get(key);
    if (module === undefined) {
      module = createModule(key);
      for (const oldest of this.#modules.keys()) {
        if (this.#modules.size < mostModules) break;
        this.#modules.delete(oldest);
      }
    } else {
      this.#modules.delete(key);
    }
    this.#modules.set(key, module);
    return module;
  }

  /** The worker has dropped these. */
  evicted(keys: readonly string[]): void {
    for (const key of keys) {
      const module = this.#modules.get(key);
      if (module?.state.kind === 'loaded') module.state.isResident = false;
    }
  }

  /** The worker has dropped all. */
  lost(): void {
    for (const { state } of this.#modules.values()) if (state.kind === 'loaded') state.isResident = false;
  }

  /** Called when a process maps the file: it may be a new file under an old inode, or the one that could not be had before. */
  async sight(process: ProcessView, mapping: ProcessMapping, module: Module): Promise<void> {
    if (module.state.kind === 'loaded' || module.state.kind === 'foreign') {
      if (mapping.buildId !== '' || performance.now() - module.checkedMs < recheckMs) return;
      await this.#load(process, mapping, module, true);
      return;
    }
    if (module.state.kind === 'failed') module.state = { kind: 'unread' };
    if (module.loading !== undefined || this.#held.has(module)) return;
    module.loading = this.#hold(process, mapping, module).finally(() => {
      module.loading = undefined;
    });
    await module.loading;
    await this.#sweep();
  }

  /** Has the module read unless it is resident or hopeless; look at its state afterwards. */
  async ensure(process: ProcessView, mapping: ProcessMapping, module: Module): Promise<void> {
    // Where it is only being opened, reading is still to be done.
    if (module.loading !== undefined) await module.loading;
    const { state } = module;
    if (module.loading === undefined) {
      if (state.kind === 'foreign' || (state.kind === 'loaded' && state.isResident)) return;
      if (state.kind === 'failed' && performance.now() < state.retryMs) return;
    }
    await this.#load(process, mapping, module, false);
  }

  /** Closes what is held; nothing is held afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const module of this.#held.keys()) await this.#release(module);
  }

  async #hold(process: ProcessView, mapping: ProcessMapping, module: Module): Promise<void> {
    const opened = await openModule(process.pid, mapping, this.#rootOf(process));
    if (opened.status === 'not_regular') module.state = { kind: 'foreign' };
    // That it could not be had is counted when an address needs it.
    if (opened.status !== 'open') return;
    const { file, next } = opened;
    if (this.#isClosed) {
      await file.handle.close();
      return;
    }
    this.#held.set(module, { file, next, process, mapping, sinceMs: performance.now() });
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= mostHeld) break;
      await this.#release(oldest);
    }
  }

  async #release(module: Module): Promise<void> {
    const held = this.#held.get(module);
    this.#held.delete(module);
    await held?.file.handle.close();
  }

  /** Reads what keeps a deleted file on the disk. */
  async #sweep(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#sweptMs < holdDeletedMs) return;
    this.#sweptMs = nowMs;
    for (const [module, { file, process, mapping, sinceMs }] of this.#held) {
      if (nowMs - sinceMs < holdDeletedMs || this.#held.get(module)?.file !== file) continue;
      const { nlink } = await file.handle.stat();
      if (nlink === 0) await this.ensure(process, mapping, module);
    }
  }

  /** With `ifChanged` nothing is read where the file is still the one that was read. */
  async #load(process: ProcessView, mapping: ProcessMapping, module: Module, ifChanged: boolean): Promise<void> {
    module.loading ??= this.#loadOnce(process, mapping, module, ifChanged).finally(() => {
      module.loading = undefined;
    });
    await module.loading;
  }

  async #loadOnce(process: ProcessView, mapping: ProcessMapping, module: Module, ifChanged: boolean): Promise<void> {
    if (this.#open >= mostOpen) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#open++;
    try {
      let from = 0;
      const held = this.#held.get(module);
      if (held !== undefined) {
        this.#held.delete(module);
        try {
          module.checkedMs = held.sinceMs;
          if (await this.#read(module, held.mapping, held.file.handle.fd, held.file.stamp)) return;
        } finally {
          await held.file.handle.close();
        }
        from = held.next;
      }
      for (;;) {
        const opened = await openModule(process.pid, mapping, this.#rootOf(process), from);
        if (opened.status === 'not_regular') {
          module.state = { kind: 'foreign' };
          return;
        }
        if (opened.status === 'failed') {
          // What was read before stays valid: that it cannot be compared any more is no loss.
          if (!ifChanged) this.#fail(module, from > 0 ? 'file_changed' : opened.cause);
          return;
        }
        const { handle, stamp } = opened.file;
        try {
          module.checkedMs = performance.now();
          if (ifChanged && stamp === module.stamp) return;
          if (await this.#read(module, mapping, handle.fd, stamp)) return;
        } finally {
          await handle.close();
        }
        from = opened.next;
      }
    } finally {
      this.#open--;
      this.#queue.shift()?.();
    }
  }

  /** False when the file has another build ID than the mapping: the process has since mapped something else there. */
  async #read(module: Module, mapping: ProcessMapping, fd: number, stamp: string): Promise<boolean> {
    if (module.stamp !== '' && module.stamp !== stamp && mapping.buildId === '') module.views.clear();
    module.stamp = stamp;
    return this.readContent(module, { fd }, mapping.buildId);
  }

  /** Has the worker read a file or an image and takes note of what it found. False where it has another build ID. */
  async readContent(
    module: Module,
    content: { readonly fd: number } | { readonly image: Uint8Array },
    expectedBuildId: string,
  ): Promise<boolean> {
    const reply = await this.#client.request({ kind: 'load', key: module.key, content, expectedBuildId });
    if (reply === undefined) {
      // The worker's end is counted by the client.
      module.state = { kind: 'failed', retryMs: performance.now() + 10 * retryMs };
    } else if (reply.status === 'loaded') {
      const { buildId, segments, debug } = reply;
      module.state = { kind: 'loaded', buildId, segments, debug, isResident: true };
    } else if (reply.cause === 'not_elf') {
      module.state = { kind: 'foreign' };
    } else if (reply.cause === 'file_changed') {
      return false;
    } else {
      this.#fail(module, reply.cause);
    }
    return true;
  }

  #fail(module: Module, cause: 'permission' | 'file_gone' | 'file_changed' | 'malformed_elf'): void {
    this.#losses.add('reads_failed', cause);
    // An evicted module whose file is gone keeps its segments: addresses stay right, names are lost.
    if (module.state.kind !== 'loaded') module.state = { kind: 'failed', retryMs: performance.now() + retryMs };
  }
}
