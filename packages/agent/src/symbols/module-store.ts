import {
  asResult,
  BufferSource,
  type ByteSource,
  type Demangler,
  FileSource,
  dwarfBytesOf,
  readBuildIds,
  readDebugLink,
  readElfFile,
} from '@everflame/binary';
import { hasSymbolTable, type ModuleTables, readModuleTables } from './module-tables.ts';
import { NameList } from './name-list.ts';
import type { LoadReply, LoadRequest, ModuleReply, ModuleRequest } from './worker-messages.ts';

/**
 * The tables of the files in use, least recently used out first. A file that is asked for by inode and by build ID is kept once.
 * Lives in the worker.
 */
export class ModuleStore {
  readonly #budget: number;
  readonly #demangler: Demangler;
  /** By build ID, or by the key of the request for a file that has none. */
  readonly #tables = new Map<string, { readonly table: ModuleTables; readonly keys: Set<string> }>();
  readonly #identities = new Map<string, string>();
  #evicted: string[] = [];
  #byteLength = 0;

  constructor(budget: number, demangler: Demangler) {
    this.#budget = budget;
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

  async load({ key, content, expectedBuildId }: LoadRequest): Promise<LoadReply> {
    const source = asResult(() => ('image' in content ? new BufferSource(content.image) : new FileSource(content.fd)));
    if (!source.ok) return { status: 'failed', cause: 'file_gone', detail: source.error.detail };
    const reply = await this.#load(source.value, { key, content, expectedBuildId });
    if (source.value instanceof FileSource) source.value.discard();
    return reply;
  }

  async #load(source: ByteSource, { key, content, expectedBuildId }: Omit<LoadRequest, 'kind'>): Promise<LoadReply> {
    const elf = readElfFile(source);
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
      const tables = await readModuleTables(elf.value, content);
      if (!tables.ok) return { status: 'failed', cause: 'malformed_elf', detail: tables.error.detail };
      table = tables.value;
    }
    this.#keep(key, identity, table);
    return {
      status: 'loaded',
      buildId,
      functions: table.length,
      segments: elf.value.segments,
      debug: {
        isComplete: table.isGo && table.functions === undefined,
        hasSymbols: hasSymbolTable(elf.value),
        dwarfBytes: dwarfBytesOf(elf.value),
        link: readDebugLink(elf.value),
      },
    };
  }

  name({ key, addresses }: ModuleRequest): ModuleReply {
    const identity = this.#identities.get(key) ?? key;
    const kept = this.#tables.get(identity);
    if (kept === undefined) return { status: 'absent' };
    this.#tables.delete(identity);
    this.#tables.set(identity, kept);
    const names = new NameList(addresses.length, this.#demangler);
    for (const [i, address] of addresses.entries()) kept.table.name(address, i, names);
    return { status: 'named', named: names.finish() };
  }

  #keep(key: string, identity: string, table: ModuleTables): void {
    const kept = this.#tables.get(identity);
    const keys = kept?.keys ?? new Set();
    this.#drop(identity, kept?.table !== table);
    this.#tables.set(identity, { table, keys: keys.add(key) });
    for (const each of keys) this.#identities.set(each, identity);
    this.#byteLength += table.byteLength;
    for (const oldest of this.#tables.keys()) {
      if (this.#byteLength <= this.#budget || oldest === identity) break;
      this.#evicted.push(...this.#drop(oldest, true));
    }
  }

  /** Returns the keys by which it was known. */
  #drop(identity: string, isOver: boolean): Iterable<string> {
    const kept = this.#tables.get(identity);
    if (kept === undefined) return [];
    this.#byteLength -= kept.table.byteLength;
    if (isOver) kept.table.close();
    this.#tables.delete(identity);
    for (const key of kept.keys) this.#identities.delete(key);
    return kept.keys;
  }
}
