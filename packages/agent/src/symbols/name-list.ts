import { type Demangler, parseV8Name, type SourceLine } from '@everflame/binary';
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

  /**
   * Functions with file and line, innermost first. One without a name gets `systemName` if it is the outermost, which is the one that has a symbol,
   * and is left out otherwise.
   */
  setLines(index: number, lines: readonly SourceLine[], systemName = ''): void {
    const outermost = lines.length - 1;
    const resolved = lines.flatMap((line, i) => {
      const name = line.function || (i === outermost ? systemName : '');
      const { file, startLine } = line;
      return name === ''
        ? []
        : [{ name: this.#demangler.functionName(name), systemName: name, file, line: line.line, startLine }];
    });
    if (resolved.length > 0) this.#listOf[index] = this.#lists.push(resolved);
  }

  #lineOf(systemName: string): ResolvedLine {
    const script = parseV8Name(systemName);
    // No symbol of a linker begins like that.
    if (script !== undefined) return { ...script, systemName, startLine: script.line };
    return { name: this.#demangler.functionName(systemName), systemName, file: '', line: 0, startLine: 0 };
  }

  finish(): NamedAddresses {
    return { listOf: this.#listOf, lists: this.#lists };
  }
}
