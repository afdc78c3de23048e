import type { FunctionNames } from '../counts/side-counts.ts';
import { NO_FUNCTION } from '../explain/call-tree.ts';

/** Dense ids for the functions of several profiles and tables. The same are those with the same name and file. */
export class FunctionTable implements FunctionNames {
  readonly name: string[] = [];
  readonly file: string[] = [];
  readonly #ids = new Map<string, number>();

  #isFrozen = false;

  /** From now on what is not known stays unknown: `NO_FUNCTION`. */
  freeze(): void {
    this.#isFrozen = true;
  }

  get length(): number {
    return this.name.length;
  }

  /** `NO_FUNCTION` for one without a name. */
  idOf(name: string, file: string): number {
    if (name === '') return NO_FUNCTION;
    const key = `${name}\0${file}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#isFrozen) return NO_FUNCTION;
    const id = this.name.push(name) - 1;
    this.file.push(file);
    this.#ids.set(key, id);
    return id;
  }
}
