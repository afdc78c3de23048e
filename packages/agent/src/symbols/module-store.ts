import {
  BufferSource,
  type Demangler,
  FileSource,
  type FunctionTable,
  readBuildIds,
  readElfFile,
  readElfFunctions,
  asResult,
} from '@everflame/binary';
import { hasSymbolTable, readDebugFunctions } from './debug-file.ts';
import { NameList } from './name-list.ts';
import type { LoadReply, LoadRequest, ModuleReply, ModuleRequest } from './worker-messages.ts';

/** What a module costs beside its table, so that thousands of stripped files do not count as nothing. */
const moduleOverhead = 512;

/**
 * The function tables of the files in use, least recently used out first. A file that is asked for by inode and by build ID is kept once.
 * Lives in the worker.
 */
export class ModuleStore {
  readonly #budget: number;
  readonly #demangler: Demangler;
  readonly #debugDirectory: string;
  /** By build ID, or by the key of the request for a file that has none. */
  readonly #tables = new Map<string, { readonly table: FunctionTable; readonly keys: Set<string> }>();
  readonly #identities = new Map<string, string>();
  #evicted: string[] = [];
  #byteLength = 0;

  constructor(budget: number, debugDirectory: string, demangler: Demangler) {
    this.#budget = budget;
    this.#debugDirectory = debugDirectory;
    this.#demangler = demangler;
  }

  get size(): number {
    return this.#tables.size;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  /** Keys evicted since the last call. */
  takeEvicted(): readonly string[] {
    const evicted = this.#evicted;
    this.#evicted = [];
    return evicted;
  }

  load({ key, content, expectedBuildId }: LoadRequest): LoadReply {
    const source = asResult(() => ('image' in content ? new BufferSource(content.image) : new FileSource(content.fd)));
    if (!source.ok) return { status: 'failed', cause: 'file_gone', detail: source.error.detail };
    const elf = readElfFile(source.value);
    if (!elf.ok) {
      const { code, detail } = elf.error;
      const cause = code === 'not_elf' ? 'not_elf' : code === 'io' ? 'file_gone' : 'malformed_elf';
      return { status: 'failed', cause, detail };
    }
    const buildId = readBuildIds(elf.value).gnu;
    if (expectedBuildId !== '' && expectedBuildId !== buildId) {
      const detail = `build ID ${buildId || 'none'} instead of ${expectedBuildId}`;
      return { status: 'failed', cause: 'file_changed', detail };
    }
    const identity = buildId === '' ? key : `build-id:${buildId}`;
    let table = buildId === '' ? undefined : this.#tables.get(identity)?.table;
    if (table === undefined) {
      const functions = readElfFunctions(elf.value);
      if (!functions.ok) return { status: 'failed', cause: 'malformed_elf', detail: functions.error.detail };
      const { value } = functions;
      const debug = hasSymbolTable(elf.value) ? undefined : readDebugFunctions(buildId, this.#debugDirectory);
      table = debug !== undefined && debug.length > value.length ? debug : value;
    }
    this.#keep(key, identity, table);
    return { status: 'loaded', buildId, functions: table.length, segments: elf.value.segments };
  }

  name({ key, addresses }: ModuleRequest): ModuleReply {
    const identity = this.#identities.get(key) ?? key;
    const kept = this.#tables.get(identity);
    if (kept === undefined) return { status: 'absent' };
    this.#tables.delete(identity);
    this.#tables.set(identity, kept);
    const names = new NameList(addresses.length, this.#demangler);
    for (const [i, address] of addresses.entries()) {
      const found = kept.table.find(address);
      if (found !== undefined && found.systemName !== '') names.set(i, found.systemName);
    }
    return { status: 'named', named: names.finish() };
  }

  #keep(key: string, identity: string, table: FunctionTable): void {
    const keys = this.#tables.get(identity)?.keys ?? new Set();
    this.#drop(identity);
    this.#tables.set(identity, { table, keys: keys.add(key) });
    for (const each of keys) this.#identities.set(each, identity);
    this.#byteLength += table.byteLength + moduleOverhead;
    for (const oldest of this.#tables.keys()) {
      if (this.#byteLength <= this.#budget || oldest === identity) break;
      this.#evicted.push(...this.#drop(oldest));
    }
  }

  /** Returns the keys by which it was known. */
  #drop(identity: string): Iterable<string> {
    const kept = this.#tables.get(identity);
    if (kept === undefined) return [];
    this.#byteLength -= kept.table.byteLength + moduleOverhead;
    this.#tables.delete(identity);
    for (const key of kept.keys) this.#identities.delete(key);
    return kept.keys;
  }
}
