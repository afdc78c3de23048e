import type { GoLabels, UnwindMapping } from '@everflame/binary';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import type { ProcessMemory } from '../runtimes/process-memory.ts';
import type { PythonLayout } from '../runtimes/python/python-layout.ts';
import type { Runtime, Runtimes } from '../runtimes/runtimes.ts';
import { targetOfMapping } from '../symbols/mapping-target.ts';
import type { TableModule, TableStore } from './table-store.ts';

/** CPython in a process: its layout, and address in the process - ELF virtual address. */
export interface PythonPlace {
  readonly layout: PythonLayout;
  readonly bias: number;
  readonly memory: ProcessMemory;
}

/** A mapping, or a part of one, as the unwinders see it: what is known of its file may change at any time. */
export class SpaceMapping implements UnwindMapping {
  readonly mapping: ProcessMapping;
  /** Undefined for code without a file. */
  readonly module: TableModule | undefined;
  readonly start: number;
  readonly end: number;
  /** Where it is CPython's text. */
  python: PythonPlace | undefined;
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

  get holdsInterpreter(): boolean {
    return this.python !== undefined;
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

/** What is known of a list of mappings, which a process shares with those that it has forked. */
interface Space {
  readonly runtime: Runtime | undefined;
  readonly modules: readonly (TableModule | undefined)[];
  /** Without a runtime; what one with a runtime has is each process's own. */
  readonly mappings: readonly SpaceMapping[];
}

/** The mappings of processes for the unwinders, made once for each list and what is known of its runtime. */
export class ProcessSpaces {
  readonly #store: TableStore;
  readonly #runtimes: Runtimes;
  readonly #spaces = new WeakMap<readonly ProcessMapping[], Space>();
  readonly #ofRuntimes = new WeakMap<ProcessView, WeakMap<Space, readonly SpaceMapping[]>>();

  constructor(store: TableStore, runtimes: Runtimes) {
    this.#store = store;
    this.#runtimes = runtimes;
  }

  /** `mappings`: of the process, now or when a sample was taken. */
  of(process: ProcessView, mappings: readonly ProcessMapping[]): readonly SpaceMapping[] {
    let space = this.#spaces.get(mappings);
    // Which runtime a program has is found out once; until then only the modules are asked, which were found once, too.
    const modules = space?.modules ?? mappings.map((mapping) => this.#store.moduleOf(mapping));
    const runtime = space?.runtime ?? modules.find((module) => module?.runtime !== undefined)?.runtime;
    if (space === undefined || space.runtime !== runtime) {
      const plain = runtime === undefined ? mappings.map((mapping) => new SpaceMapping(mapping, this.#store)) : [];
      space = { runtime, modules, mappings: plain };
      this.#spaces.set(mappings, space);
    }
    if (runtime === undefined) return space.mappings;
    let own = this.#ofRuntimes.get(process);
    if (own === undefined) this.#ofRuntimes.set(process, (own = new WeakMap()));
    let made = own.get(space);
    if (made === undefined) own.set(space, (made = this.#make(process, mappings, runtime)));
    return made;
  }

  #make(process: ProcessView, mappings: readonly ProcessMapping[], runtime: Runtime): SpaceMapping[] {
    switch (runtime.kind) {
      case 'v8':
        return this.#makeV8(process, mappings, runtime);
      case 'python':
        return this.#makePython(process, mappings, runtime);
    }
  }

  /** Does it run CPython, as far as is known? */
  hasPython(process: ProcessView): boolean {
    return this.of(process, process.mappings).some(({ python }) => python !== undefined);
  }

  /** Where the labels of its goroutines are; undefined where it sets none, as far as is known. */
  goLabelsOf(process: ProcessView): GoLabels | undefined {
    return this.of(process, process.mappings).find(({ module }) => module?.goLabels !== undefined)?.module?.goLabels;
  }

  /** So many calls of an interpreter's loop have no name. */
  miss(calls: number): void {
    this.#runtimes.miss(calls);
  }

  /** Native as any other, but for what the kernel part needs to find Python's own frames. */
  #makePython(
    process: ProcessView,
    mappings: readonly ProcessMapping[],
    runtime: Runtime & { readonly kind: 'python' },
  ): SpaceMapping[] {
    const store = this.#store;
    return mappings.map((mapping) => {
      const made = new SpaceMapping(mapping, store);
      if (made.module?.runtime !== runtime) return made;
      const bias = store.biasOf(made.module, mapping);
      const memory = bias === undefined ? undefined : this.#runtimes.meetPython(process, runtime.layout, bias, mapping);
      if (bias !== undefined && memory !== undefined) made.python = { layout: runtime.layout, bias, memory };
      return made;
    });
  }

  #makeV8(
    process: ProcessView,
    mappings: readonly ProcessMapping[],
    runtime: Runtime & { readonly kind: 'v8' },
  ): SpaceMapping[] {
    const store = this.#store;
    const [compiled, builtins] = [false, true].map((holdsBuiltins): UnwindMapping['unwind'] | undefined => {
      const code = this.#runtimes.codeOf(process, runtime.layout, holdsBuiltins);
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
  #builtinsIn(
    mapping: ProcessMapping,
    runtime: Runtime & { readonly kind: 'v8' },
  ): { readonly start: number; readonly end: number } | undefined {
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
