import { fstatSync } from 'node:fs';
import { asResult, type Demangler } from '@everflame/binary';
import { DebugSource } from './debug-source.ts';
import { FileCache } from './file-cache.ts';
import { NameList } from './name-list.ts';
import type { DebugLoadReply, DebugLoadRequest, DebugNameRequest, ModuleReply } from './worker-messages.ts';

/** The debugging information of the modules in use, least recently used out first. Lives in the workers. */
export class DebugStore {
  readonly #demangler: Demangler;
  readonly #sources: FileCache<DebugSource>;
  #failures = 0;

  constructor(budget: number, demangler: Demangler) {
    this.#sources = new FileCache(budget);
    this.#demangler = demangler;
  }

  get size(): number {
    return this.#sources.size;
  }

  get byteLength(): number {
    return this.#sources.byteLength;
  }

  /** Keys evicted since the last call. */
  takeEvicted(): readonly string[] {
    return this.#sources.takeEvicted();
  }

  /** Damaged files and units since the last call. */
  takeFailures(): number {
    const failures = this.#failures;
    this.#failures = 0;
    return failures;
  }

  load(request: DebugLoadRequest): DebugLoadReply {
    this.#sources.forget(request.key);
    const identity = asResult(() => identityOf(request));
    if (!identity.ok) return this.#failed();
    const known = this.#sources.same(identity.value);
    if (known !== undefined) {
      this.#sources.keep(request.key, identity.value, known);
      return { status: 'ready' };
    }
    const source = new DebugSource(request);
    const status = asResult(() => source.open());
    this.#failures += source.damagedUnits;
    if (status.ok && status.value === 'ready') {
      this.#sources.keep(request.key, identity.value, source);
      return { status: 'ready' };
    }
    source.close();
    return status.ok ? { status: status.value } : this.#failed();
  }

  name({ key, addresses }: DebugNameRequest): ModuleReply {
    const source = this.#sources.use(key);
    if (source === undefined) return { status: 'absent' };
    const damaged = source.damagedUnits;
    const names = new NameList(addresses.length, this.#demangler);
    const named = asResult(() => {
      for (const [i, address] of addresses.entries()) source.name(address, i, names);
    });
    // The file could not be read: an input/output error, or it shrank.
    if (!named.ok) this.#failures++;
    this.#failures += source.damagedUnits - damaged;
    this.#sources.makeRoom();
    return { status: 'named', named: names.finish() };
  }

  #failed(): DebugLoadReply {
    this.#failures++;
    return { status: 'nothing' };
  }
}

/** Files of one build ID and of one size are copies of one another; without a build ID nothing is known to be the same. */
function identityOf({ key, buildId, main, separate }: DebugLoadRequest): string {
  if (buildId === '') return key;
  const sizes = [main, separate].map((file) => (file === undefined ? '-' : fstatSync(file.fd).size));
  return `${buildId}:${sizes.join(':')}`;
}
