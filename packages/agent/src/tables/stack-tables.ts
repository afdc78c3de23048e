import type { LossCounters } from '../health/counters.ts';
import { copyOffset } from '../kernel/generated/abi.ts';
import type { ProcessMapping } from '../processes/process.ts';
import type { ProcessImage } from '../processes/process-image.ts';
import type { Runtimes } from '../runtimes/runtimes.ts';
import { CopyUnwinder, type MissingTable, type StackCopy, type UnwoundCopy } from './copy-unwinder.ts';
import { ProcessContexts } from './process-contexts.ts';
import { ProcessEntries } from './process-entries.ts';
import { ProcessSpaces } from './process-space.ts';
import { type TableModule, TableStore } from './table-store.ts';

export interface StackTablesOptions {
  readonly losses: LossCounters;
  readonly runtimes: Runtimes;
  /** Maps of bpf/maps.h. */
  readonly processesFd: number;
  readonly pythonsFd: number;
  readonly tablesFd: number;
  /** Where tables are kept over restarts; undefined: nowhere. */
  readonly cacheDirectory: string | undefined;
}

/** What unwinding needs, put together: tables in the kernel, the processes that it knows, and the twin for what it does not. */
export class StackTables {
  readonly #store: TableStore;
  readonly #spaces: ProcessSpaces;
  readonly #entries: ProcessEntries;
  readonly #unwinder: CopyUnwinder;
  /** What processes publish of themselves. */
  readonly contexts: ProcessContexts;
  #onSettled: (module: TableModule) => void = () => undefined;

  constructor({ losses, runtimes, processesFd, pythonsFd, tablesFd, cacheDirectory }: StackTablesOptions) {
    this.#store = new TableStore({
      losses,
      runtimes,
      tablesFd,
      cacheDirectory,
      onSettled: (module) => this.#onSettled(module),
      onEvict: (module) => this.#entries.detach(module),
    });
    this.#spaces = new ProcessSpaces(this.#store, runtimes);
    this.#entries = new ProcessEntries({ processesFd, pythonsFd }, this.#store, this.#spaces, losses);
    this.#unwinder = new CopyUnwinder(this.#store, this.#spaces);
    const onPlace = (image: ProcessImage): void => this.#entries.tellOfContext(image);
    this.contexts = new ProcessContexts({ store: this.#store, losses, onPlace });
  }

  /** Who is told when a table has become ready, or turned out not to be had. */
  set onSettled(listener: (module: TableModule) => void) {
    this.#onSettled = listener;
  }

  /** Of the tables in the kernel, in bytes; and the processes that it knows. */
  get usage(): { readonly tableBytes: number; readonly processes: number } {
    return { tableBytes: this.#store.byteLength, processes: this.#entries.size };
  }

  /** See CopyUnwinder. */
  unwind(copy: StackCopy, mayWait: boolean): UnwoundCopy | MissingTable {
    return this.#unwinder.unwind(copy, mayWait);
  }

  /** A copy has come of `image`: the kernel part should know it, if it goes on. */
  see(image: ProcessImage, copy: Uint8Array): void {
    const view = new DataView(copy.buffer, copy.byteOffset);
    this.#entries.see(image, {
      mm: view.getBigUint64(copyOffset.mm, true),
      startStack: view.getBigUint64(copyOffset.startStack, true),
      execPages: view.getBigUint64(copyOffset.execPages, true),
    });
  }

  /** A mapping is in use: its table stays. */
  touch(mapping: ProcessMapping): void {
    const module = this.#store.moduleOf(mapping);
    if (module !== undefined) module.usedMs = performance.now();
  }

  /** See ProcessEntries. */
  otherMappingsOf(image: ProcessImage, generation: number): readonly ProcessMapping[] | undefined {
    return this.#entries.otherMappingsOf(image, generation);
  }

  distrust(image: ProcessImage): void {
    this.#entries.distrust(image);
  }

  flush(isCurrent: (image: ProcessImage) => boolean): void {
    this.#entries.flush(isCurrent);
  }

  remove(image: ProcessImage): void {
    this.#entries.remove(image);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}
