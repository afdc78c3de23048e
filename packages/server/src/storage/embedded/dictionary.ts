import { discard } from '@everflame/profile';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { PathIndex } from './path-index.ts';
import { StackTable } from './stack-table.ts';
import { grown, WordTable } from './word-table.ts';

/** Offsets of the words of a row. 64-bit numbers take two words, the low one first. */
export const functionWords = { name: 0, systemName: 1, file: 2, startLine: 3, count: 5 } as const;
export const mappingWords = { start: 0, limit: 2, offset: 4, file: 6, buildId: 7, flags: 8, count: 9 } as const;
/** A location is a head and then one group for each of its lines, innermost first. */
export const locationWords = { mapping: 0, address: 1, isFolded: 3, count: 4 } as const;
export const lineWords = { function: 0, line: 1, column: 3, count: 5 } as const;
export const stackWords = { parent: 0, location: 1, count: 2 } as const;
/** A label set is one group for each label. */
export const labelWords = { key: 0, text: 1, number: 2, unit: 4, count: 5 } as const;

/**
 * Everything that profiles share, once per store: strings, functions, mappings, locations, stacks and label sets, by number.
 * Numbers are given in order and never change, so the store keeps them as a log of what was added (`writeSince`, `apply`).
 *
 * Memory: about 30 bytes a stack, 60 a location and 40 a function with the writer's index, half of it in a reader, and the
 * strings: it grows with the amount of distinct code seen, not with the number of profiles.
 */
export class Dictionary {
  readonly strings: string[] = [''];
  readonly functions = new WordTable(functionWords.count);
  readonly mappings = new WordTable(mappingWords.count);
  readonly locations = new WordTable(0);
  readonly stacks = new StackTable();
  readonly labelSets = new WordTable(0);
  #numbers: Map<string, number> | null = null;
  #paths: PathIndex | null = null;
  /** The strings that were looked up last, and by their rows what `numbersOf` answers. */
  #source: readonly string[] = [];
  #sourceNumbers = new Uint32Array(0);
  /** By number of a name: the function that was met with it last. */
  #functionOfName = new Uint32Array(0);

  string(text: string): number {
    this.#numbers ??= new Map(this.strings.map((value, number) => [value, number]));
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.strings.length;
    this.strings.push(text);
    this.#numbers.set(text, number);
    return number;
  }

  get isEmpty(): boolean {
    return this.strings.length === 1 && this.#tables().every(({ length }) => length === 1);
  }

  /** About what it takes in memory without its indices: a string some 60 bytes. */
  get bytes(): number {
    return this.#tables().reduce((sum, { words }) => sum + words.byteLength, this.strings.length * 60);
  }

  text(number: number): string {
    const text = this.strings[number];
    if (text === undefined) throw new RangeError(`string ${number} is not in the dictionary`);
    return text;
  }

  /** Whole stacks, for one who adds many. */
  get paths(): PathIndex {
    return (this.#paths ??= new PathIndex(this.stacks));
  }

  /**
   * For the caller to fill in: by row of `strings`, the string's number plus one, 0 where it is not known yet. Kept as long as the same strings come, which may
   * have grown.
   */
  numbersOf(strings: readonly string[]): Uint32Array {
    if (this.#source !== strings) {
      this.#source = strings;
      this.#sourceNumbers = new Uint32Array(strings.length);
    }
    if (strings.length > this.#sourceNumbers.length) this.#sourceNumbers = grown(this.#sourceNumbers, strings.length);
    return this.#sourceNumbers;
  }

  /** The function of these words. Mostly the name alone tells which one it is, without a hash. */
  functionRow(words: Uint32Array): number {
    const name = words[functionWords.name] ?? 0;
    const guess = this.#functionOfName[name] ?? 0;
    if (guess > 0 && this.functions.equals(guess, words, functionWords.count)) return guess;
    const number = this.functions.intern(words, functionWords.count);
    if (name >= this.#functionOfName.length) this.#functionOfName = grown(this.#functionOfName, name + 1);
    this.#functionOfName[name] = number;
    return number;
  }

  /** Gives its memory back at once, which V8 does not see (`Garbage`): it must not be used afterwards. */
  discard(): void {
    for (const table of this.#tables()) table.discard();
    this.#paths?.discard();
    discard(this.#sourceNumbers, this.#functionOfName);
  }

  /** How much there is, to write from there on later. */
  mark(): DictionaryMark {
    return { strings: this.strings.length, tables: this.#tables().map((table) => table.length) };
  }

  /** Writes what was added since the mark. False when there is nothing. */
  writeSince(mark: DictionaryMark, out: ByteWriter): boolean {
    let added = this.strings.length - mark.strings;
    out.varint(mark.strings);
    out.varint(added);
    for (let i = mark.strings; i < this.strings.length; i++) out.text(this.text(i));
    for (const [index, table] of this.#tables().entries()) {
      const first = mark.tables[index] ?? 1;
      added += table.length - first;
      out.varint(first);
      out.varint(table.length - first);
      for (let row = first; row < table.length; row++) {
        const end = table.end(row);
        if (table.width === 0) out.varint(end - table.start(row));
        for (let word = table.start(row); word < end; word++) out.varint(table.words[word] ?? 0);
      }
    }
    return added > 0;
  }

  /** Adds one record of `writeSince`. Records must come in their order. */
  apply(record: ByteReader): void {
    expectNext(record.varint(), this.strings.length);
    for (let rest = record.varint(); rest > 0; rest--) this.strings.push(record.text());
    this.#numbers = null;
    let row = new Uint32Array(64);
    for (const table of this.#tables()) {
      expectNext(record.varint(), table.length);
      for (let rest = record.varint(); rest > 0; rest--) {
        const count = table.width === 0 ? record.varint() : table.width;
        if (count > row.length) row = new Uint32Array(count * 2);
        for (let word = 0; word < count; word++) row[word] = record.varint();
        if (table instanceof StackTable) table.append(row[stackWords.parent] ?? 0, row[stackWords.location] ?? 0);
        else table.append(row, count);
      }
    }
  }

  #tables(): readonly (WordTable | StackTable)[] {
    return [this.functions, this.mappings, this.locations, this.stacks, this.labelSets];
  }
}

export interface DictionaryMark {
  readonly strings: number;
  readonly tables: readonly number[];
}

function expectNext(first: number, length: number): void {
  if (first !== length) throw new RangeError(`a dictionary record starts at ${first}, ${length} was expected`);
}

/** The signed 64-bit number in two words. */
export function int64At(words: Uint32Array, at: number): bigint {
  return BigInt.asIntN(64, uint64At(words, at));
}

export function uint64At(words: Uint32Array, at: number): bigint {
  const high = words[at + 1] ?? 0;
  const low = words[at] ?? 0;
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}
