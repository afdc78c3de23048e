import { asResult, type Demangler } from '@everflame/binary';
import { DebugSource } from './debug-source.ts';
import { NameList } from './name-list.ts';
import type { DebugLoadReply, DebugLoadRequest, DebugNameRequest, ModuleReply } from './worker-messages.ts';

/** The debugging information of the modules in use, least recently used out first. Lives in the second worker. */
export class DebugStore {
  readonly #budget: number;
  readonly #demangler: Demangler;
  readonly #sources = new Map<string, DebugSource>();
  #evicted: string[] = [];
  #failures = 0;

  constructor(budget: number, demangler: Demangler) {
    this.#budget = budget;
    this.#demangler = demangler;
  }

  get size(): number {
    return this.#sources.size;
  }

  get byteLength(): number {
    let total = 0;
    for (const source of this.#sources.values()) total += source.byteLength;
    return total;
  }

  /** Keys evicted since the last call. */
  takeEvicted(): readonly string[] {
    const evicted = this.#evicted;
    this.#evicted = [];
    return evicted;
  }

  /** Damaged files and units since the last call. */
  takeFailures(): number {
    const failures = this.#failures;
    this.#failures = 0;
    return failures;
  }

  load(request: DebugLoadRequest): DebugLoadReply {
    this.#close(request.key);
    const source = new DebugSource(request);
    const status = asResult(() => source.open());
    this.#failures += source.damagedUnits;
    if (!status.ok || status.value !== 'ready') {
      if (!status.ok) this.#failures++;
      source.close();
      return { status: status.ok ? status.value : 'nothing' };
    }
    this.#sources.set(request.key, source);
    this.#makeRoom(request.key);
    return { status: 'ready' };
  }

  name({ key, addresses }: DebugNameRequest): ModuleReply {
    const source = this.#sources.get(key);
    if (source === undefined) return { status: 'absent' };
    this.#sources.delete(key);
    this.#sources.set(key, source);
    const damaged = source.damagedUnits;
    const names = new NameList(addresses.length, this.#demangler);
    const named = asResult(() => {
      for (const [i, address] of addresses.entries()) source.name(address, i, names);
    });
    // The file could not be read: an input/output error, or it shrank.
    if (!named.ok) this.#failures++;
    this.#failures += source.damagedUnits - damaged;
    this.#makeRoom(key);
    return { status: 'named', named: names.finish() };
  }

  #makeRoom(except: string): void {
    let bytes = this.byteLength;
    for (const [key, source] of this.#sources) {
      if (bytes <= this.#budget) return;
      if (key === except) continue;
      bytes -= source.byteLength;
      this.#close(key);
      this.#evicted.push(key);
    }
  }

  #close(key: string): void {
    this.#sources.get(key)?.close();
    this.#sources.delete(key);
  }
}
