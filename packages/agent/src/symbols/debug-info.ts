import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import type { DebugFinder } from './debug-finder.ts';
import { withoutDeletedMark } from './mapping-target.ts';
import type { Module } from './module.ts';
import { openModule } from './module-files.ts';
import type { SymbolClient } from './symbol-client.ts';
import type { DebugNeeds, NamedAddresses } from './worker-messages.ts';

/** A profile does not wait longer for lines: it is made with the names that symbols have, and the next one has the lines. */
const patienceMs = 1500;
/** Debug packages are installed now and then. */
const retryMs = 10 * 60_000;
/** Modules that are remembered. */
const mostModules = 8192;

/** `late`: ask again. */
export type DebugNames = NamedAddresses | 'nothing' | 'late';

type State =
  | { readonly kind: 'loading'; readonly done: Promise<void> }
  | { readonly kind: 'ready' }
  | { readonly kind: 'nothing'; readonly retryMs: number };

/** Functions, files and lines from debugging information, read in a worker that starts when there is some. */
export class DebugInfo {
  readonly #client: SymbolClient;
  readonly #finder: DebugFinder;
  readonly #rootOf: (process: ProcessView) => string;
  readonly #states = new Map<string, State>();

  constructor(client: SymbolClient, finder: DebugFinder, rootOf: (process: ProcessView) => string) {
    this.#client = client;
    this.#finder = finder;
    this.#rootOf = rootOf;
  }

  /** The worker has dropped these. */
  evicted(keys: readonly string[]): void {
    for (const key of keys) this.#states.delete(key);
  }

  /** The worker has dropped all. What was being loaded may be what killed it, so that is not tried again at once. */
  lost(): void {
    for (const [key, { kind }] of this.#states) if (kind === 'ready') this.#states.delete(key);
  }

  /** `addresses` are ELF virtual ones of a module that is loaded. */
  async names(
    process: ProcessView,
    mapping: ProcessMapping,
    module: Module,
    addresses: BigUint64Array,
  ): Promise<DebugNames> {
    const { state } = module;
    if (state.kind !== 'loaded' || state.debug.isComplete) return 'nothing';
    const { buildId, debug } = state;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, patienceMs, 'late').unref();
    });
    const names = this.#names(process, mapping, module.key, buildId, debug, addresses);
    return Promise.race([names, late]).finally(() => clearTimeout(timer));
  }

  async #names(
    process: ProcessView,
    mapping: ProcessMapping,
    key: string,
    buildId: string,
    needs: DebugNeeds,
    addresses: BigUint64Array,
  ): Promise<DebugNames> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const known = this.#states.get(key);
      if (known === undefined || (known.kind === 'nothing' && performance.now() >= known.retryMs)) {
        const done = this.#load(process, mapping, key, buildId, needs).then((isReady) => {
          this.#states.set(
            key,
            isReady ? { kind: 'ready' } : { kind: 'nothing', retryMs: performance.now() + retryMs },
          );
        });
        this.#remember(key, { kind: 'loading', done });
        await done;
      } else if (known.kind === 'loading') {
        await known.done;
      }
      if (this.#states.get(key)?.kind === 'nothing') return 'nothing';
      const reply = await this.#client.request({ kind: 'debug-name', key, addresses });
      if (reply === undefined) return 'late';
      if (reply.status === 'named') return reply.named;
      // It was evicted between the two: once more.
      this.#states.delete(key);
    }
    return 'late';
  }

  #remember(key: string, state: State): void {
    for (const oldest of this.#states.keys()) {
      if (this.#states.size < mostModules) break;
      this.#states.delete(oldest);
    }
    this.#states.set(key, state);
  }

  async #load(
    process: ProcessView,
    mapping: ProcessMapping,
    key: string,
    buildId: string,
    needs: DebugNeeds,
  ): Promise<boolean> {
    const isSplit = !needs.hasDwarf || !needs.hasSymbols;
    const root = this.#rootOf(process);
    const path = withoutDeletedMark(mapping.path);
    const opened = needs.hasDwarf ? await openModule(process.pid, mapping, root) : undefined;
    const mainHandle = opened?.status === 'open' ? opened.file.handle : undefined;
    const main = mainHandle === undefined ? undefined : { fd: mainHandle.fd, path };
    const roots = this.#finder.rootsOf(process);
    const { debugDirectory } = this.#finder;
    const common = { kind: 'debug-load', key, roots, debugDirectory, buildId, link: needs.link, main } as const;
    try {
      if (isSplit) {
        for await (const { handle, path: separatePath } of this.#finder.find(process, mapping, root, buildId, needs)) {
          try {
            const separate = { fd: handle.fd, path: separatePath };
            const reply = await this.#client.request({ ...common, separate });
            if (reply?.status === 'ready') return true;
          } finally {
            await handle.close();
          }
        }
      }
      if (main === undefined) return false;
      const reply = await this.#client.request({ ...common, separate: undefined });
      return reply?.status === 'ready';
    } finally {
      await mainHandle?.close();
    }
  }
}
