import type { Demangler } from '@everflame/binary';
import type { ResolvedLine } from './symbolizer.ts';
import type { NamedAddresses } from './worker-messages.ts';

/** Collects names for the addresses of one request, each function once. */
export class NameList {
  readonly #listOf: Uint32Array;
  readonly #lists: (readonly ResolvedLine[])[] = [];
  readonly #known = new Map<string, number>();
  readonly #demangler: Demangler;

  constructor(addresses: number, demangler: Demangler) {
    this.#listOf = new Uint32Array(addresses);
    this.#demangler = demangler;
  }

  set(index: number, systemName: string): void {
    let list = this.#known.get(systemName);
    if (list === undefined) {
      const name = this.#demangler.demangle(systemName);
      list = this.#lists.push([{ name, systemName, file: '', line: 0, startLine: 0 }]);
      this.#known.set(systemName, list);
    }
    this.#listOf[index] = list;
  }

  finish(): NamedAddresses {
    return { listOf: this.#listOf, lists: this.#lists };
  }
}
