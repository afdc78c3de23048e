import type { ResolvedLocation, ResolvedMapping } from './symbolizer.ts';
import type { SymbolClient } from './symbol-client.ts';
import type { KernelModuleInfo } from './worker-messages.ts';

/** Distinct kernel addresses that are remembered: some 300 bytes each. */
const mostLocations = 16_384;

/** Names for kernel addresses; remembers those it has asked for until the kernel's symbols change. */
export class KernelResolver {
  readonly #client: SymbolClient;
  readonly #locations = new Map<bigint, ResolvedLocation>();
  readonly #mappings = new Map<string, ResolvedMapping>();
  #generation = 0;

  constructor(client: SymbolClient) {
    this.#client = client;
  }

  /** Has the worker read the symbols, so that the first profile need not wait for it. */
  async warm(): Promise<void> {
    await this.#ask(new BigUint64Array(0));
  }

  /** `addresses` are of the instruction or the call. */
  async resolve(addresses: BigUint64Array): Promise<ResolvedLocation[]> {
    const unknown = [...new Set(addresses)].filter((address) => !this.#locations.has(address));
    const fresh = new Map<bigint, ResolvedLocation>();
    if (unknown.length > 0) {
      const asked = BigUint64Array.from(unknown);
      for (const [i, location] of (await this.#ask(asked)).entries()) fresh.set(asked[i] ?? 0n, location);
      if (this.#locations.size + fresh.size > mostLocations) this.#locations.clear();
      for (const [address, location] of fresh) this.#locations.set(address, location);
    }
    return Array.from(addresses, (address) => fresh.get(address) ?? this.#locations.get(address) ?? unnamed(address));
  }

  async #ask(addresses: BigUint64Array): Promise<ResolvedLocation[]> {
    const reply = await this.#client.request({ kind: 'kernel', addresses });
    if (reply === undefined) return Array.from(addresses, unnamed);
    if (reply.generation !== this.#generation) {
      this.#generation = reply.generation;
      this.#locations.clear();
      this.#mappings.clear();
    }
    return Array.from(addresses, (original, i) => {
      const address = reply.linkAddresses[i] ?? original;
      const module = reply.modules[reply.moduleOf[i] ?? 0];
      const lines = reply.named.lists[(reply.named.listOf[i] ?? 0) - 1];
      if (module === undefined) return unnamed(original);
      const mapping = this.#mapping(module);
      return { mapping, address, kind: 'kernel', lines: lines ?? unnamedLines(address) };
    });
  }

  #mapping(module: KernelModuleInfo): ResolvedMapping {
    let mapping = this.#mappings.get(module.file);
    if (mapping === undefined) {
      const { memoryStart, memoryLimit, file, buildId } = module;
      mapping = { memoryStart, memoryLimit, fileOffset: 0n, file, buildId };
      this.#mappings.set(file, mapping);
    }
    return mapping;
  }
}

const kernelMapping: ResolvedMapping = {
  memoryStart: 0n,
  memoryLimit: 0n,
  fileOffset: 0n,
  file: '[kernel.kallsyms]',
  buildId: '',
};

function unnamedLines(address: bigint): ResolvedLocation['lines'] {
  const name = `[kernel+0x${address.toString(16)}]`;
  return [{ name, systemName: name, file: '', line: 0, startLine: 0 }];
}

function unnamed(address: bigint): ResolvedLocation {
  return { mapping: kernelMapping, address, kind: 'kernel', lines: unnamedLines(address) };
}
