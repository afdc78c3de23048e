import type { UnwindMapping } from '@everflame/binary';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import type { Runtime, Runtimes } from '../runtimes/runtimes.ts';
import { targetOfMapping } from '../symbols/mapping-target.ts';
import type { TableModule, TableStore } from './table-store.ts';

/** A mapping, or a part of one, as the unwinders see it: what is known of its file may change at any time. */
export class SpaceMapping implements UnwindMapping {
  readonly mapping: ProcessMapping;
  /** Undefined for code without a file. */
  readonly module: TableModule | undefined;
  readonly start: number;
  readonly end: number;
  readonly #store: TableStore;
  readonly #isAnonymous: boolean;
  readonly #ofRuntime: UnwindMapping['unwind'] | undefined;
  #known:
    | { readonly state: TableModule['state']; readonly bias: number; readonly unwind: UnwindMapping['unwind'] }
    | undefined;

  /** `ofRuntime`: how code of a runtime is unwound; `range`: the part of the mapping that is meant. */
  constructor(
    mapping: ProcessMapping,
    store: TableStore,
    ofRuntime?: UnwindMapping['unwind'],
    range?: { readonly start: number; readonly end: number },
  ) {
    this.mapping = mapping;
    this.module = store.moduleOf(mapping);
    this.start = range?.start ?? Number(mapping.start);
    this.end = range?.end ?? Number(mapping.end);
    this.#store = store;
    this.#isAnonymous = targetOfMapping(mapping) === 'anonymous';
    this.#ofRuntime = ofRuntime;
  }

  get bias(): number {
    return this.#now().bias;
  }

  get unwind(): UnwindMapping['unwind'] {
    return this.#ofRuntime ?? this.#now().unwind;
  }

  #now(): { readonly bias: number; readonly unwind: UnwindMapping['unwind'] } {
    const { module } = this;
    if (module === undefined) return { bias: 0, unwind: { by: this.#isAnonymous ? 'frame_pointer' : 'none' } };
    if (this.#known?.state === module.state) return this.#known;
    const bias = this.#store.biasOf(module, this.mapping);
    const rows = this.#store.rowsOf(module);
    let unwind: UnwindMapping['unwind'] = { by: 'pending' };
    if (rows !== undefined) unwind = bias === undefined ? { by: 'none' } : { by: 'table', table: rows };
    else if (module.state.kind === 'none') unwind = { by: 'none' };
    this.#known = { state: module.state, bias: bias ?? 0, unwind };
    return this.#known;
  }
}

interface Space {
  readonly runtime: Runtime | undefined;
  readonly modules: readonly (TableModule | undefined)[];
  readonly mappings: readonly SpaceMapping[];
}

/** The mappings of processes for the unwinders, made once for each list and what is known of its runtime. */
export class ProcessSpaces {
  readonly #store: TableStore;
  readonly #runtimes: Runtimes;
  readonly #spaces = new WeakMap<readonly ProcessMapping[], Space>();

  constructor(store: TableStore, runtimes: Runtimes) {
    this.#store = store;
    this.#runtimes = runtimes;
  }

  /** `mappings`: of the process, now or when a sample was taken. */
  of(process: ProcessView, mappings: readonly ProcessMapping[]): readonly SpaceMapping[] {
    const known = this.#spaces.get(mappings);
    // Which runtime a program has is found out once; until then only the modules are asked, which were found once, too.
    const modules = known?.modules ?? mappings.map((mapping) => this.#store.moduleOf(mapping));
    const runtime = known?.runtime ?? modules.find((module) => module?.runtime !== undefined)?.runtime;
    if (known !== undefined && known.runtime === runtime) return known.mappings;
    const space = { runtime, modules, mappings: this.#make(process, mappings, runtime) };
    this.#spaces.set(mappings, space);
    return space.mappings;
  }

  #make(process: ProcessView, mappings: readonly ProcessMapping[], runtime: Runtime | undefined): SpaceMapping[] {
    const store = this.#store;
    if (runtime === undefined) return mappings.map((mapping) => new SpaceMapping(mapping, store));
    const [compiled, builtins] = [false, true].map((holdsBuiltins): UnwindMapping['unwind'] | undefined => {
      const code = this.#runtimes.codeOf(process, runtime, holdsBuiltins);
      return code === undefined ? undefined : { by: 'v8', code };
    });
    if (compiled === undefined || builtins === undefined) return mappings.map((each) => new SpaceMapping(each, store));
    return mappings.flatMap((mapping) => {
      if (targetOfMapping(mapping) === 'anonymous') return [new SpaceMapping(mapping, store, compiled)];
      const range = this.#builtinsIn(mapping, runtime);
      if (range === undefined) return [new SpaceMapping(mapping, store)];
      const { start, end } = range;
      const parts = [new SpaceMapping(mapping, store, builtins, range)];
      if (start > Number(mapping.start)) {
        parts.unshift(new SpaceMapping(mapping, store, undefined, { start: Number(mapping.start), end: start }));
      }
      if (end < Number(mapping.end)) {
        parts.push(new SpaceMapping(mapping, store, undefined, { start: end, end: Number(mapping.end) }));
      }
      return parts;
    });
  }

  /** The part of a mapping that holds the builtins: they are mapped with the rest of the program, and once more beside compiled code. */
  #builtinsIn(mapping: ProcessMapping, runtime: Runtime): { readonly start: number; readonly end: number } | undefined {
    const module = this.#store.moduleOf(mapping);
    if (module?.runtime !== runtime) return undefined;
    const bias = this.#store.biasOf(module, mapping);
    if (bias === undefined) return undefined;
    const { builtins } = runtime.layout;
    const start = Math.max(Number(mapping.start), Number(builtins.start) + bias);
    const end = Math.min(Number(mapping.end), Number(builtins.end) + bias);
    return start < end ? { start, end } : undefined;
  }
}
