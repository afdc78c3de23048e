import { segmentOfFileOffset } from '@everflame/binary';
import { findMapping } from '../processes/mapping-list.ts';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import { baseName, type MappingTarget, shownPath, targetOfMapping } from './mapping-target.ts';
import { KeptLocations } from './kept-locations.ts';
import { createModule, type Module, type ModuleView, viewOf } from './module.ts';
import type { ModuleLoader } from './module-loader.ts';
import type { SymbolClient } from './symbol-client.ts';
import type { ResolvedLine, ResolvedLocation } from './symbolizer.ts';
import { anonymousMapping, offsetLocation, segmentMapping, unfiled, unnamed, vsyscall } from './user-locations.ts';
import type { DebugInfo } from './debug-info.ts';
import { readVdsoImage } from './vdso-image.ts';
import type { NamedAddresses } from './worker-messages.ts';

const mostLocations = 40_000;
const lowest32BitLimit = 1n << 32n;

type Lines = readonly ResolvedLine[] | undefined;

/** Addresses of one mapping that have no remembered name; `indices` into the answer. */
interface Pending {
  readonly mapping: ProcessMapping;
  readonly target: MappingTarget;
  readonly indices: number[];
}

/** Names for the addresses of processes. */
export class UserResolver {
  readonly #client: SymbolClient;
  readonly #loader: ModuleLoader;
  readonly #debug: DebugInfo;
  readonly #rootOf: (process: ProcessView) => string;
  readonly #vdsos = new Map<'32' | '64', Module>();
  readonly #kept = new KeptLocations(mostLocations, () => [...this.#loader.modules, ...this.#vdsos.values()]);

  constructor(client: SymbolClient, loader: ModuleLoader, debug: DebugInfo, rootOf: (process: ProcessView) => string) {
    this.#client = client;
    this.#loader = loader;
    this.#debug = debug;
    this.#rootOf = rootOf;
  }

  /** `addresses` are of the instruction or the call. */
  async resolve(process: ProcessView, addresses: BigUint64Array): Promise<ResolvedLocation[]> {
    const answer: (ResolvedLocation | undefined)[] = Array.from({ length: addresses.length });
    const pending = new Map<ProcessMapping, Pending>();
    const unmapped: number[] = [];
    let last: ProcessMapping | undefined;
    for (let i = 0; i < addresses.length; i++) {
      const address = addresses[i] ?? 0n;
      const mapping = holds(last, address) ? last : findMapping(process.mappings, address);
      if (mapping === undefined) {
        unmapped.push(i);
        continue;
      }
      last = mapping;
      let group = pending.get(mapping);
      if (group === undefined) {
        group = { mapping, target: targetOfMapping(mapping), indices: [] };
        pending.set(mapping, group);
      }
      group.indices.push(i);
    }
    const jobs = [...pending.values()].map(async (group) => this.#resolveGroup(process, group, addresses, answer));
    if (unmapped.length > 0)
      jobs.push(this.#resolveJit(process, unmapped, addresses, answer, (address) => unfiled('[unmapped]', address)));
    await Promise.all(jobs);
    return answer.map((location, i) => location ?? unfiled('[unmapped]', addresses[i] ?? 0n));
  }

  /** Reads the vDSO that the process has, unless it is known. Of 32-bit processes it must be read while one lives. */
  async prepareVdso(process: ProcessView, mapping: ProcessMapping): Promise<Module> {
    const bits = mapping.end <= lowest32BitLimit ? '32' : '64';
    let module = this.#vdsos.get(bits);
    if (module === undefined) {
      module = createModule(`vdso:${bits}`);
      this.#vdsos.set(bits, module);
    }
    const { state } = module;
    if (module.loading === undefined && (state.kind !== 'loaded' || !state.isResident)) {
      const vdso = module;
      vdso.loading = (async () => {
        const image = await readVdsoImage(bits === '32' ? process.pid : 'self');
        if (image !== undefined) await this.#loader.readContent(vdso, { image }, '');
      })().finally(() => {
        vdso.loading = undefined;
      });
    }
    await module.loading;
    return module;
  }

  async #resolveGroup(
    process: ProcessView,
    { mapping, target, indices }: Pending,
    addresses: BigUint64Array,
    answer: (ResolvedLocation | undefined)[],
  ): Promise<void> {
    switch (target) {
      case 'vsyscall':
        for (const i of indices) answer[i] = vsyscall(addresses[i] ?? 0n);
        return;
      case 'anonymous':
      case 'jitdump':
        await this.#resolveJit(process, indices, addresses, answer, (address) => unfiled('[anon]', address));
        return;
      case 'vdso': {
        const module = await this.prepareVdso(process, mapping);
        await this.#resolveInModule(
          process,
          module,
          viewOf(module, '[vdso]'),
          { ...mapping, fileOffset: 0n },
          indices,
          addresses,
          answer,
        );
        return;
      }
      case 'file': {
        const module = this.#loader.moduleOf(mapping);
        const view = viewOf(module, shownPath(mapping.path, this.#rootOf(process)));
        const unknown = this.#takeRemembered(view, mapping, indices, addresses, answer);
        if (unknown.length === 0) return;
        await this.#loader.ensure(process, mapping, module);
        if (module.state.kind === 'foreign') {
          await this.#resolveJit(process, unknown, addresses, answer, (address) =>
            offsetLocation(view, mapping, address - mapping.start + mapping.fileOffset),
          );
          return;
        }
        const rest = await this.#resolveInModule(process, module, view, mapping, unknown, addresses, answer);
        if (rest.length === 0) return;
        // It was evicted between the two: once more.
        await this.#loader.ensure(process, mapping, module);
        await this.#resolveInModule(process, module, view, mapping, rest, addresses, answer);
        return;
      }
    }
  }

  /** Returns the indices whose names need the module to be loaded again; they are answered without a name. */
  async #resolveInModule(
    process: ProcessView,
    module: Module,
    view: ModuleView,
    mapping: ProcessMapping,
    indices: readonly number[],
    addresses: BigUint64Array,
    answer: (ResolvedLocation | undefined)[],
  ): Promise<readonly number[]> {
    const { state } = module;
    const unknown = this.#takeRemembered(view, mapping, indices, addresses, answer);
    if (unknown.length === 0) return [];
    const offsets = unknown.map((i) => (addresses[i] ?? 0n) - mapping.start + mapping.fileOffset);
    if (state.kind !== 'loaded') {
      for (const [at, i] of unknown.entries()) answer[i] = offsetLocation(view, mapping, offsets[at] ?? 0n);
      return [];
    }
    const segments = offsets.map((offset) => segmentOfFileOffset(state, offset));
    const virtual = BigUint64Array.from(offsets, (offset, at) => {
      const segment = segments[at];
      return segment === undefined ? offset : offset - BigInt(segment.fileOffset) + segment.virtualAddress;
    });
    const reply = await this.#client.request({ kind: 'module', key: module.key, addresses: virtual });
    const isNamed = reply?.status === 'named';
    const bySymbol = unknown.map((_, at) => (isNamed ? internedLines(module, reply.named, at) : undefined));
    const locationOf = (lines: Lines, at: number): ResolvedLocation => {
      const address = virtual[at] ?? 0n;
      return {
        mapping: segmentMapping(view, mapping, segments[at], state.buildId),
        address,
        kind: lines === undefined ? 'unsymbolized' : 'native',
        lines: lines ?? unnamed(baseName(view.path), address),
      };
    };
    const keep = (locations: readonly ResolvedLocation[]): void => {
      if (!isNamed) return;
      for (const [at, location] of locations.entries()) this.#kept.set(view, Number(offsets[at]), location);
    };
    const { linesOf, isLate } = await this.#withDebugInfo(process, mapping, module, virtual, bySymbol, (came) =>
      keep(came.map(locationOf)),
    );
    const locations = linesOf.map(locationOf);
    if (!isLate) keep(locations);
    for (const [at, location] of locations.entries()) answer[unknown[at] ?? 0] = location;
    if (reply?.status !== 'absent') return [];
    state.isResident = false;
    return unknown;
  }

  /**
   * Adds what debugging information knows of addresses that have no line yet; names stay those of the symbols. Where it is late, `onLate` hears the same
   * with it when it comes.
   */
  async #withDebugInfo(
    process: ProcessView,
    mapping: ProcessMapping,
    module: Module,
    addresses: BigUint64Array,
    bySymbol: readonly Lines[],
    onLate: (linesOf: readonly Lines[]) => void,
  ): Promise<{ readonly linesOf: readonly Lines[]; readonly isLate: boolean }> {
    const lacking = [...bySymbol.keys()].filter((at) => (bySymbol[at]?.[0]?.file ?? '') === '');
    const isFile = targetOfMapping(mapping) === 'file';
    if (lacking.length === 0 || !isFile) return { linesOf: bySymbol, isLate: false };
    const asked = BigUint64Array.from(lacking, (at) => addresses[at] ?? 0n);
    const withNames = (names: NamedAddresses): Lines[] => {
      const linesOf = [...bySymbol];
      for (const [i, at] of lacking.entries()) {
        const found = names.lists[(names.listOf[i] ?? 0) - 1];
        if (found !== undefined) linesOf[at] = withSymbol(found, bySymbol[at]);
      }
      return linesOf;
    };
    const names = await this.#debug.names(process, mapping, module, asked, (came) => onLate(withNames(came)));
    if (typeof names === 'string') return { linesOf: bySymbol, isLate: names === 'late' };
    return { linesOf: withNames(names), isLate: false };
  }

  async #resolveJit(
    process: ProcessView,
    indices: readonly number[],
    addresses: BigUint64Array,
    answer: (ResolvedLocation | undefined)[],
    otherwise: (address: bigint) => ResolvedLocation,
  ): Promise<void> {
    const { pid, namespacePid, startTimeNs } = process;
    const asked = BigUint64Array.from(indices, (i) => addresses[i] ?? 0n);
    const reply = await this.#client.request({
      kind: 'jit',
      process: { pid, namespacePid, startTimeNs },
      addresses: asked,
    });
    for (const [at, i] of indices.entries()) {
      const address = asked[at] ?? 0n;
      const lines = reply === undefined ? undefined : reply.named.lists[(reply.named.listOf[at] ?? 0) - 1];
      answer[i] = lines === undefined ? otherwise(address) : { mapping: anonymousMapping, address, kind: 'jit', lines };
    }
  }

  /** Answers what is remembered and returns the indices of the rest. */
  #takeRemembered(
    view: ModuleView,
    mapping: ProcessMapping,
    indices: readonly number[],
    addresses: BigUint64Array,
    answer: (ResolvedLocation | undefined)[],
  ): number[] {
    const unknown: number[] = [];
    for (const i of indices) {
      const location = this.#kept.get(view, Number((addresses[i] ?? 0n) - mapping.start + mapping.fileOffset));
      if (location === undefined) unknown.push(i);
      else answer[i] = location;
    }
    return unknown;
  }
}

function holds(mapping: ProcessMapping | undefined, address: bigint): mapping is ProcessMapping {
  return mapping !== undefined && address >= mapping.start && address < mapping.end;
}

/** The lines of an answer, one object for each function of the module. */
function internedLines(module: Module, named: NamedAddresses, at: number): readonly ResolvedLine[] | undefined {
  const lines = named.lists[(named.listOf[at] ?? 0) - 1];
  const [only] = lines ?? [];
  if (lines === undefined || only === undefined || lines.length > 1) return lines;
  const known = module.lines.get(only.systemName);
  if (known === undefined) module.lines.set(only.systemName, lines);
  return known ?? lines;
}

/** The outermost function under the name of its symbol: the same whether a host has debugging information or not. */
function withSymbol(lines: readonly ResolvedLine[], bySymbol: Lines): readonly ResolvedLine[] {
  const outermost = lines.at(-1);
  const [symbol] = bySymbol ?? [];
  if (outermost === undefined || symbol === undefined) return lines;
  return [...lines.slice(0, -1), { ...outermost, name: symbol.name, systemName: symbol.systemName }];
}
