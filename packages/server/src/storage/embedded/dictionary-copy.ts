import {
  type Dictionary,
  functionWords,
  labelWords,
  lineWords,
  locationWords,
  mappingWords,
  stackWords,
} from './dictionary.ts';
import type { WordTable } from './word-table.ts';

/**
 * Takes rows of one dictionary over into another, each once. Rows of a dictionary differ from each other: while stacks go into an empty one,
 * nothing has to be looked up there.
 */
export class DictionaryCopy {
  readonly #from: Dictionary;
  readonly #to: Dictionary;
  /** By number in `from`: number in `to`, plus one. */
  readonly #strings: Uint32Array;
  readonly #functions: Uint32Array;
  readonly #mappings: Uint32Array;
  readonly #locations: Uint32Array;
  readonly #labelSets: Uint32Array;
  #row = new Uint32Array(64);
  #isFirst = false;

  constructor(from: Dictionary, to: Dictionary) {
    this.#from = from;
    this.#to = to;
    this.#strings = new Uint32Array(from.strings.length);
    this.#functions = new Uint32Array(from.functions.length);
    this.#mappings = new Uint32Array(from.mappings.length);
    this.#locations = new Uint32Array(from.locations.length);
    this.#labelSets = new Uint32Array(from.labelSets.length);
  }

  /** Takes over the stacks that are marked, and their callers. Answers the new number of each. */
  stacks(isUsed: (stack: number) => boolean): Uint32Array {
    const { words, length } = this.#from.stacks;
    const wanted = new Uint8Array(length);
    for (let stack = length - 1; stack > 0; stack--) {
      if (wanted[stack] !== 1 && !isUsed(stack)) continue;
      wanted[stack] = 1;
      wanted[words[stack * stackWords.count + stackWords.parent] ?? 0] = 1;
    }
    const target = this.#to.stacks;
    this.#isFirst = this.#to.isEmpty;
    const numbers = new Uint32Array(length);
    for (let stack = 1; stack < length; stack++) {
      if (wanted[stack] !== 1) continue;
      const at = stack * stackWords.count;
      const parent = numbers[words[at + stackWords.parent] ?? 0] ?? 0;
      const location = this.location(words[at + stackWords.location] ?? 0);
      numbers[stack] = this.#isFirst ? target.append(parent, location) : target.intern(parent, location);
    }
    this.#isFirst = false;
    return numbers;
  }

  mapping(number: number): number {
    const known = this.#mappings[number] ?? 0;
    if (number === 0 || known > 0) return number === 0 ? 0 : known - 1;
    const row = this.#take(this.#from.mappings.words, number * mappingWords.count, mappingWords.count);
    this.#string(row, mappingWords.file);
    this.#string(row, mappingWords.buildId);
    const copy = this.#add(this.#to.mappings, row, mappingWords.count);
    this.#mappings[number] = copy + 1;
    return copy;
  }

  location(number: number): number {
    const known = this.#locations[number] ?? 0;
    if (number === 0 || known > 0) return number === 0 ? 0 : known - 1;
    const { locations } = this.#from;
    const start = locations.start(number);
    const count = locations.end(number) - start;
    // Before the row is filled, since functions and mappings use the same scratch row.
    const mapping = this.mapping(locations.words[start + locationWords.mapping] ?? 0);
    for (let at = locationWords.count; at < count; at += lineWords.count)
      this.#function(locations.words[start + at] ?? 0);
    const row = this.#take(locations.words, start, count);
    row[locationWords.mapping] = mapping;
    for (let at = locationWords.count; at < count; at += lineWords.count) row[at] = this.#function(row[at] ?? 0);
    const copy = this.#add(this.#to.locations, row, count);
    this.#locations[number] = copy + 1;
    return copy;
  }

  labelSet(number: number): number {
    const known = this.#labelSets[number] ?? 0;
    if (number === 0 || known > 0) return number === 0 ? 0 : known - 1;
    const { labelSets } = this.#from;
    const start = labelSets.start(number);
    const count = labelSets.end(number) - start;
    const row = this.#take(labelSets.words, start, count);
    for (let at = 0; at < count; at += labelWords.count) {
      this.#string(row, at + labelWords.key);
      this.#string(row, at + labelWords.text);
      this.#string(row, at + labelWords.unit);
    }
    const copy = this.#to.labelSets.intern(row, count);
    this.#labelSets[number] = copy + 1;
    return copy;
  }

  #function(number: number): number {
    const known = this.#functions[number] ?? 0;
    if (number === 0 || known > 0) return number === 0 ? 0 : known - 1;
    const row = new Uint32Array(functionWords.count);
    const start = number * functionWords.count;
    row.set(this.#from.functions.words.subarray(start, start + functionWords.count));
    this.#string(row, functionWords.name);
    this.#string(row, functionWords.systemName);
    this.#string(row, functionWords.file);
    const copy = this.#add(this.#to.functions, row, functionWords.count);
    this.#functions[number] = copy + 1;
    return copy;
  }

  /** Turns a word of a row from a string of `from` into one of `to`. */
  #string(row: Uint32Array, at: number): void {
    const number = row[at] ?? 0;
    let copy = this.#strings[number] ?? 0;
    if (copy === 0) {
      copy = this.#text(this.#from.text(number)) + 1;
      this.#strings[number] = copy;
    }
    row[at] = copy - 1;
  }

  #text(text: string): number {
    if (!this.#isFirst) return this.#to.string(text);
    // String 0 of each dictionary.
    return text === '' ? 0 : this.#to.strings.push(text) - 1;
  }

  #add(table: WordTable, row: Uint32Array, count: number): number {
    return this.#isFirst ? table.append(row, count) : table.intern(row, count);
  }

  #take(words: Uint32Array, start: number, count: number): Uint32Array {
    if (count > this.#row.length) this.#row = new Uint32Array(count * 2);
    this.#row.set(words.subarray(start, start + count));
    return this.#row;
  }
}
