import { type Demangler, parseV8Name } from '@everflame/binary';
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
      list = this.#lists.push([this.#lineOf(systemName)]);
      this.#known.set(systemName, list);
    }
    this.#listOf[index] = list;
  }

  #lineOf(systemName: string): ResolvedLine {
    const script = parseV8Name(systemName);
    // No symbol of a linker begins like that.
    if (script !== undefined) return { ...script, systemName, startLine: script.line };
    return { name: this.#demangler.demangle(systemName), systemName, file: '', line: 0, startLine: 0 };
  }

  finish(): NamedAddresses {
    return { listOf: this.#listOf, lists: this.#lists };
  }
}
