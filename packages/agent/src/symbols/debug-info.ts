import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import type { DebugFinder } from './debug-finder.ts';
import { withoutDeletedMark } from './mapping-target.ts';
import type { Module } from './module.ts';
import { openModule } from './module-files.ts';
import type { SymbolClient } from './symbol-client.ts';
import type { DebugNeeds, NamedAddresses } from './worker-messages.ts';

/** One of many profiles does not wait longer for lines: it is made with the names that symbols have, and the next one has the lines. */
const defaultPatienceMs = 1500;
/** After a profile has waited in vain the next ones, of a hundred processes maybe, wait only this long, for a while. */
const impatientMs = 50;
const impatientForMs = 5000;
/** Debug packages are installed now and then. */
const retryMs = 10 * 60_000;
/** Modules that are remembered. */
const mostModules = 8192;

/** `late`: ask again. */
export type DebugNames = NamedAddresses | 'nothing' | 'late';

/**
 * What takes longer to read is read in a worker of its own, so that names do not wait; that worker costs 25 MB. Opening the debug file of Debian's libc, which has
 * 4 MB compressed, takes 0.25 s.
 */
const mostSmallBytes = 4 * 1024 * 1024;

type State =
  | { readonly kind: 'loading'; readonly done: Promise<void> }
  | { readonly kind: 'ready'; readonly client: DebugClient }
  | { readonly kind: 'nothing'; readonly retryMs: number };

type DebugClient = Pick<SymbolClient, 'request'>;

/** Who reads small files, and who reads large ones. */
export interface DebugClients {
  readonly small: DebugClient;
  readonly large: DebugClient;
}

/** Functions, files and lines from debugging information. */
export class DebugInfo {
  readonly #clients: DebugClients;
  readonly #finder: DebugFinder;
  readonly #rootOf: (process: ProcessView) => string;
  readonly #states = new Map<string, State>();
  readonly #patienceMs: number;
  /** Of modules about which an answer is overdue: settled when it has come. */
  readonly #overdue = new Map<string, Promise<void>>();
  #impatientUntilMs = -Infinity;

  constructor(
    clients: DebugClients,
    finder: DebugFinder,
    rootOf: (process: ProcessView) => string,
    patienceMs = defaultPatienceMs,
  ) {
    this.#clients = clients;
    this.#finder = finder;
    this.#rootOf = rootOf;
    this.#patienceMs = patienceMs;
  }

  /** The worker has dropped these. */
  evicted(keys: readonly string[]): void {
    // One that is loading was asked for again after it was dropped.
    for (const key of keys) if (this.#states.get(key)?.kind === 'ready') this.#states.delete(key);
  }

  /** The worker has dropped all. What was being loaded may be what killed it, so that is not tried again at once. */
  lost(): void {
    for (const [key, { kind }] of this.#states) if (kind === 'ready') this.#states.delete(key);
  }

  /**
   * `addresses` are ELF virtual ones of a module that is loaded. Names that come after 'late' was answered are given to `onLate`. About a module one
   * overdue answer is waited for at a time: on a busy machine more questions would only make the next answers late, too.
   */
  async names(
    process: ProcessView,
    mapping: ProcessMapping,
    module: Module,
    addresses: BigUint64Array,
    onLate: (names: NamedAddresses) => void,
  ): Promise<DebugNames> {
    const { state } = module;
    if (state.kind !== 'loaded' || state.debug.isComplete) return 'nothing';
    const { buildId, debug } = state;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      const isImpatient = performance.now() < this.#impatientUntilMs;
      timer = setTimeout(resolve, isImpatient ? impatientMs : this.#patienceMs, 'late').unref();
    });
    // The same worker knows modules by their keys.
    const key = `debug:${module.key}`;
    const outcome = await this.#inTime(key, late, onLate, async () =>
      this.#names(process, mapping, key, buildId, debug, addresses),
    ).finally(() => clearTimeout(timer));
    if (outcome === 'late') this.#impatientUntilMs = performance.now() + impatientForMs;
    return outcome;
  }

  async #inTime(
    key: string,
    late: Promise<'late'>,
    onLate: (names: NamedAddresses) => void,
    ask: () => Promise<DebugNames>,
  ): Promise<DebugNames> {
    if ((await Promise.race([this.#overdue.get(key), late])) === 'late') return 'late';
    const names = ask();
    const outcome = await Promise.race([names, late]);
    if (outcome !== 'late') return outcome;
    const answered = names.then(
      (came) => {
        if (typeof came !== 'string') onLate(came);
      },
      // Who asked has gone on; who asks next meets the same error.
      () => undefined,
    );
    const overdue = answered.finally(() => {
      if (this.#overdue.get(key) === overdue) this.#overdue.delete(key);
    });
    this.#overdue.set(key, overdue);
    return outcome;
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
        const done = this.#load(process, mapping, key, buildId, needs).then((client) => {
          const nothing = { kind: 'nothing', retryMs: performance.now() + retryMs } as const;
          this.#states.set(key, client === undefined ? nothing : { kind: 'ready', client });
        });
        this.#remember(key, { kind: 'loading', done });
        await done;
      } else if (known.kind === 'loading') {
        await known.done;
      }
      const state = this.#states.get(key);
      if (state?.kind === 'nothing') return 'nothing';
      if (state?.kind !== 'ready') continue;
      const reply = await state.client.request({ kind: 'debug-name', key, addresses });
      if (reply === undefined) return 'late';
      if (reply.status === 'named') return reply.named;
      // It was evicted between the two: once more, and once for all who ask now.
      if (this.#states.get(key) === state) this.#states.delete(key);
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
  ): Promise<DebugClient | undefined> {
    const isSplit = needs.dwarfBytes === 0 || !needs.hasSymbols;
    const root = this.#rootOf(process);
    const path = withoutDeletedMark(mapping.path);
    const opened = needs.dwarfBytes > 0 ? await openModule(process.pid, mapping, root) : undefined;
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
            const client = this.#clientFor(needs.dwarfBytes + (await handle.stat()).size);
            const reply = await client.request({ ...common, separate });
            if (reply?.status === 'ready') return client;
          } finally {
            await handle.close();
          }
        }
      }
      if (main === undefined) return undefined;
      const client = this.#clientFor(needs.dwarfBytes);
      const reply = await client.request({ ...common, separate: undefined });
      return reply?.status === 'ready' ? client : undefined;
    } finally {
      await mainHandle?.close();
    }
  }

  #clientFor(bytes: number): DebugClient {
    return bytes > mostSmallBytes ? this.#clients.large : this.#clients.small;
  }
}
