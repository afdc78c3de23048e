import type { FunctionCounts } from '../../storage.ts';
import { type Dictionary, functionWords } from '../dictionary.ts';

/** Functions of several dictionaries, each (name, file) once. */
export class FunctionNames {
  readonly name: string[] = [];
  readonly system: string[] = [];
  readonly file: string[] = [];
  readonly #ids = new Map<string, number>();

  /** The id of a function of the dictionary. */
  idOf(dictionary: Dictionary, number: number): number {
    const { words } = dictionary.functions;
    const at = number * functionWords.count;
    const name = dictionary.text(words[at + functionWords.name] ?? 0);
    const file = dictionary.text(words[at + functionWords.file] ?? 0);
    const key = `${name}\0${file}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.name.push(name) - 1;
    this.system.push(dictionary.text(words[at + functionWords.systemName] ?? 0));
    this.file.push(file);
    this.#ids.set(key, id);
    return id;
  }

  columns(): FunctionCounts['functions'] {
    return { name: this.name, system: this.system, file: this.file };
  }
}
