import type { UnwindMapping } from '@everflame/binary';
import type { ProcessMapping } from '../processes/process.ts';
import { targetOfMapping } from '../symbols/mapping-target.ts';
import type { TableModule, TableStore } from './table-store.ts';

/** A mapping as the unwinders see it: what is known of its file may change at any time. */
export class SpaceMapping implements UnwindMapping {
  readonly mapping: ProcessMapping;
  /** Undefined for code without a file. */
  readonly module: TableModule | undefined;
  readonly start: number;
  readonly end: number;
  readonly #store: TableStore;
  readonly #isAnonymous: boolean;
  #known:
    | { readonly state: TableModule['state']; readonly bias: number; readonly unwind: UnwindMapping['unwind'] }
    | undefined;

  constructor(mapping: ProcessMapping, store: TableStore) {
    this.mapping = mapping;
    this.module = store.moduleOf(mapping);
    this.start = Number(mapping.start);
    this.end = Number(mapping.end);
    this.#store = store;
    this.#isAnonymous = targetOfMapping(mapping) === 'anonymous';
  }

  get bias(): number {
    return this.#now().bias;
  }

  get unwind(): UnwindMapping['unwind'] {
    return this.#now().unwind;
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

/** The mappings of processes for the unwinders, made once for each list. */
export class ProcessSpaces {
  readonly #store: TableStore;
  readonly #spaces = new WeakMap<readonly ProcessMapping[], readonly SpaceMapping[]>();

  constructor(store: TableStore) {
    this.#store = store;
  }

  of(mappings: readonly ProcessMapping[]): readonly SpaceMapping[] {
    let space = this.#spaces.get(mappings);
    if (space === undefined) {
      space = mappings.map((mapping) => new SpaceMapping(mapping, this.#store));
      this.#spaces.set(mappings, space);
    }
    return space;
  }
}
