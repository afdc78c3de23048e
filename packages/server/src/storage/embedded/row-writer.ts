import type { ProfileBuilder } from '@everflame/profile';
import {
  type Dictionary,
  functionWords,
  int64At,
  lineWords,
  locationWords,
  mappingWords,
  stackWords,
  uint64At,
} from './dictionary.ts';

/** Rows of the dictionary into rows of a builder, each once. */
export class RowWriter {
  readonly #dictionary: Dictionary;
  readonly #builder: ProfileBuilder;
  readonly #mappings = new Map<number, number>();
  readonly #functions = new Map<number, number>();
  readonly #locations = new Map<number, number>();
  readonly #stacks = new Map<number, number>([[0, 0]]);

  constructor(dictionary: Dictionary, builder: ProfileBuilder) {
    this.#dictionary = dictionary;
    this.#builder = builder;
  }

  stack(number: number): number {
    const { words } = this.#dictionary.stacks;
    // Up to a known ancestor, then down again: stacks can be 100,000 deep, so no recursion.
    const path: number[] = [];
    let at = number;
    let row = this.#stacks.get(at);
    while (row === undefined) {
      path.push(at);
      at = words[at * stackWords.count + stackWords.parent] ?? 0;
      row = this.#stacks.get(at);
    }
    for (let i = path.length - 1; i >= 0; i--) {
      const stack = path[i] ?? 0;
      row = this.#builder.stack(row, this.location(words[stack * stackWords.count + stackWords.location] ?? 0));
      this.#stacks.set(stack, row);
    }
    return row;
  }

  location(number: number): number {
    const known = this.#locations.get(number);
    if (known !== undefined) return known;
    const { locations } = this.#dictionary;
    const { words } = locations;
    const start = locations.start(number);
    const lines = [];
    for (let at = start + locationWords.count; at < locations.end(number); at += lineWords.count) {
      lines.push({
        function: this.function(words[at + lineWords.function] ?? 0),
        line: int64At(words, at + lineWords.line),
        column: int64At(words, at + lineWords.column),
      });
    }
    const row = this.#builder.location({
      mapping: this.mapping(words[start + locationWords.mapping] ?? 0),
      address: uint64At(words, start + locationWords.address),
      isFolded: words[start + locationWords.isFolded] === 1,
      lines,
    });
    this.#locations.set(number, row);
    return row;
  }

  function(number: number): number {
    if (number === 0) return 0;
    const known = this.#functions.get(number);
    if (known !== undefined) return known;
    const { words } = this.#dictionary.functions;
    const start = number * functionWords.count;
    const row = this.#builder.function({
      name: this.#dictionary.text(words[start + functionWords.name] ?? 0),
      systemName: this.#dictionary.text(words[start + functionWords.systemName] ?? 0),
      file: this.#dictionary.text(words[start + functionWords.file] ?? 0),
      startLine: int64At(words, start + functionWords.startLine),
    });
    this.#functions.set(number, row);
    return row;
  }

  mapping(number: number): number {
    if (number === 0) return 0;
    const known = this.#mappings.get(number);
    if (known !== undefined) return known;
    const { words } = this.#dictionary.mappings;
    const start = number * mappingWords.count;
    const row = this.#builder.mapping({
      memoryStart: uint64At(words, start + mappingWords.start),
      memoryLimit: uint64At(words, start + mappingWords.limit),
      fileOffset: uint64At(words, start + mappingWords.offset),
      file: this.#dictionary.text(words[start + mappingWords.file] ?? 0),
      buildId: this.#dictionary.text(words[start + mappingWords.buildId] ?? 0),
      flags: words[start + mappingWords.flags] ?? 0,
    });
    this.#mappings.set(number, row);
    return row;
  }
}
