import type { PythonMemory } from './python-text.ts';

/** PyObject: ob_refcnt, ob_type; PyTypeObject: tp_name. */
export const typeAt = 8;
const typeNameAt = 24;
const mostTypeName = 8;
const mostTypes = 64;

/** The types of a process's objects by their name: the address of one is a matter of the linker. Names of 7 characters at most. */
export class PythonTypes {
  readonly #memory: PythonMemory;
  /** By address, as far as they matter; types are not moved. */
  readonly #names = new Map<number, string>();

  constructor(memory: PythonMemory) {
    this.#memory = memory;
  }

  /** Is the object at `address` of the type of that name? */
  isOf(address: number, name: string): boolean {
    const type = this.#memory.word(address + typeAt);
    return type !== undefined && this.isNamed(type, name);
  }

  /** Is the type at `type` the one of that name? */
  isNamed(type: number, name: string): boolean {
    const known = this.#names.get(type);
    if (known !== undefined) return known === name;
    const at = this.#memory.word(type + typeNameAt);
    const text = at === undefined ? undefined : this.#memory.bytes(at, mostTypeName)?.toString('latin1');
    if (text?.startsWith(`${name}\0`) !== true) return false;
    if (this.#names.size >= mostTypes) this.#names.clear();
    this.#names.set(type, name);
    return true;
  }
}
