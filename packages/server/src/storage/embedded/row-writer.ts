import type { ProfileBuilder } from '@everflame/profile';
import {
  type Dictionary,
  functionWords,
  int64At,
  lineWords,
  locationWords,
  mappingWords,
  uint64At,
} from './dictionary.ts';

/** Rows of the dictionary into rows of a builder, each once. */
export class RowWriter {
  readonly #dictionary: Dictionary;
  readonly #builder: ProfileBuilder;
  readonly #mappings = new Map<number, number>();
  readonly #functions = new Map<number, number>();
  readonly #locations: Uint32Array;

  constructor(dictionary: Dictionary, builder: ProfileBuilder) {
    this.#dictionary = dictionary;
    this.#builder = builder;
    this.#locations = new Uint32Array(dictionary.locations.length);
  }

  location(number: number): number {
    const known = this.#locations[number] ?? 0;
    if (known !== 0) return known;
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
    this.#locations[number] = row;
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
