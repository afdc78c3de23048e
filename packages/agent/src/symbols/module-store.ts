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
import { FileCache } from './file-cache.ts';
import { hasSymbolTable, type ModuleTables, readModuleTables } from './module-tables.ts';
import { NameList } from './name-list.ts';
import type { LoadReply, LoadRequest, ModuleReply, ModuleRequest } from './worker-messages.ts';

/** The tables of the files in use, least recently used out first. Lives in the worker. */
export class ModuleStore {
  readonly #demangler: Demangler;
  /** By build ID, or by the key of the request for a file that has none. */
  readonly #tables: FileCache<ModuleTables>;

  constructor(budget: number, demangler: Demangler) {
    this.#tables = new FileCache(budget);
    this.#demangler = demangler;
  }

  get size(): number {
    return this.#tables.size;
  }

  get byteLength(): number {
    return this.#tables.byteLength;
  }

  /** Keys evicted since the last call. */
  takeEvicted(): readonly string[] {
    return this.#tables.takeEvicted();
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
    let table = buildId === '' ? undefined : this.#tables.same(identity);
    if (table === undefined) {
      const tables = await readModuleTables(elf.value, content);
      if (!tables.ok) return { status: 'failed', cause: 'malformed_elf', detail: tables.error.detail };
      table = tables.value;
    }
    this.#tables.keep(key, identity, table);
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
    const table = this.#tables.use(key);
    if (table === undefined) return { status: 'absent' };
    const names = new NameList(addresses.length, this.#demangler);
    for (const [i, address] of addresses.entries()) table.name(address, i, names);
    return { status: 'named', named: names.finish() };
  }
}
