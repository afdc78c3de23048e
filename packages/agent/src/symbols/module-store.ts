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
import { NameList } from './name-list.ts';
import type { LoadReply, LoadRequest, ModuleReply, ModuleRequest } from './worker-messages.ts';

/** What a module costs beside its table, so that thousands of stripped files do not count as nothing. */
const moduleOverhead = 512;

/** The function tables of the files in use, least recently used out first. Lives in the worker. */
export class ModuleStore {
  readonly #budget: number;
  readonly #demangler: Demangler;
  readonly #tables = new Map<string, FunctionTable>();
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

  load(request: LoadRequest): LoadReply {
    const { content } = request;
    if ('image' in content) return this.#read(request, new BufferSource(content.image));
    const source = asResult(() => new FileSource(content.fd));
    if (!source.ok) return { status: 'failed', cause: 'file_gone', detail: source.error.detail };
    return this.#read(request, source.value);
  }

  #read(request: LoadRequest, source: BufferSource | FileSource): LoadReply {
    const elf = readElfFile(source);
    if (!elf.ok) {
      const { code, detail } = elf.error;
      const cause = code === 'not_elf' ? 'not_elf' : code === 'io' ? 'file_gone' : 'malformed_elf';
      return { status: 'failed', cause, detail };
    }
    const buildId = readBuildIds(elf.value).gnu;
    if (request.expectedBuildId !== '' && request.expectedBuildId !== buildId) {
      const detail = `build ID ${buildId || 'none'} instead of ${request.expectedBuildId}`;
      return { status: 'failed', cause: 'file_changed', detail };
    }
    const functions = readElfFunctions(elf.value);
    if (!functions.ok) return { status: 'failed', cause: 'malformed_elf', detail: functions.error.detail };
    this.#keep(request.key, functions.value);
    return { status: 'loaded', buildId, functions: functions.value.length, segments: elf.value.segments };
  }

  #keep(key: string, table: FunctionTable): void {
    this.#drop(key);
    this.#tables.set(key, table);
    this.#byteLength += table.byteLength + moduleOverhead;
    for (const oldest of this.#tables.keys()) {
      if (this.#byteLength <= this.#budget || oldest === key) break;
      this.#drop(oldest);
      this.#evicted.push(oldest);
    }
  }

  #drop(key: string): void {
    const table = this.#tables.get(key);
    if (table === undefined) return;
    this.#byteLength -= table.byteLength + moduleOverhead;
    this.#tables.delete(key);
  }

  name({ key, addresses }: ModuleRequest): ModuleReply {
    const table = this.#tables.get(key);
    if (table === undefined) return { status: 'absent' };
    this.#tables.delete(key);
    this.#tables.set(key, table);
    const names = new NameList(addresses.length, this.#demangler);
    for (const [i, address] of addresses.entries()) {
      const found = table.find(address);
      if (found !== undefined && found.systemName !== '') names.set(i, found.systemName);
    }
    return { status: 'named', named: names.finish() };
  }
}
