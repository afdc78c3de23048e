import type { PooledRows, Profile, StringPool } from '@everflame/profile';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { WordTable } from './word-table.ts';

/** Offsets of the words of a row. 64-bit numbers take two words, the low one first. */
export const functionWords = { name: 0, systemName: 1, file: 2, startLine: 3, count: 5 } as const;
export const mappingWords = { start: 0, limit: 2, offset: 4, file: 6, buildId: 7, flags: 8, count: 9 } as const;
/** A location is a head and then one group for each of its lines, innermost first. */
export const locationWords = { mapping: 0, address: 1, isFolded: 3, count: 4 } as const;
export const lineWords = { function: 0, line: 1, column: 3, count: 5 } as const;
export const stackWords = { parent: 0, location: 1, count: 2 } as const;
/** A label set is one group for each label. */
export const labelWords = { key: 0, text: 1, number: 2, unit: 4, count: 5 } as const;

/** The rows of a dictionary that a profile's own rows became. */
export interface InternedProfile {
  /** By the profile's stack number; 0 where no sample uses it. */
  readonly stacks: Uint32Array;
  readonly labelSets: Uint32Array;
  /** The profile's first mapping, which pprof takes for the main binary; 0 when it has none. */
  readonly mainMapping: number;
}

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
  readonly stacks = new WordTable(stackWords.count);
  readonly labelSets = new WordTable(0);
  #numbers: Map<string, number> | null = null;
  /** By row of the pool's generation: number of the string, plus one. */
  #pooledNumbers = new Uint32Array(0);
  #generation: object | null = null;
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

  text(number: number): string {
    const text = this.strings[number];
    if (text === undefined) throw new RangeError(`string ${number} is not in the dictionary`);
    return text;
  }

  /** The string of a pool's row. */
  pooled({ generation }: PooledRows, row: number, text: string): number {
    if (this.#generation !== generation) {
      this.#generation = generation;
      this.#pooledNumbers = new Uint32Array(1024);
    }
    const known = this.#pooledNumbers[row] ?? 0;
    if (known > 0) return known - 1;
    if (row >= this.#pooledNumbers.length) {
      const larger = new Uint32Array(Math.max(row + 1, this.#pooledNumbers.length * 2));
      larger.set(this.#pooledNumbers);
      this.#pooledNumbers = larger;
    }
    const number = this.string(text);
    this.#pooledNumbers[row] = number + 1;
    return number;
  }

  /** Adds what the samples of the profile use. `pool`: where its strings may have been read from. */
  intern(profile: Profile, pool?: StringPool): InternedProfile {
    const { stacks, samples, labelSets } = profile;
    const used = new Uint8Array(stacks.length);
    const usedLabelSets = new Uint8Array(labelSets.length);
    for (let i = 0; i < samples.length; i++) {
      used[samples.stack[i] ?? 0] = 1;
      usedLabelSets[samples.labelSet[i] ?? 0] = 1;
    }
    for (let stack = stacks.length - 1; stack > 0; stack--) if (used[stack] === 1) used[stacks.parent[stack] ?? 0] = 1;

    const run = new ProfileInterning(this, profile, pool?.rowsOf(profile.strings));
    const mainMapping = profile.mappings.length > 1 ? run.mapping(1) : 0;
    const numbers = new Uint32Array(stacks.length);
    for (let stack = 1; stack < stacks.length; stack++) {
      if (used[stack] !== 1) continue;
      const parent = numbers[stacks.parent[stack] ?? 0] ?? 0;
      numbers[stack] = this.stacks.internPair(parent, run.location(stacks.location[stack] ?? 0));
    }
    const sets = new Uint32Array(labelSets.length);
    for (let set = 1; set < labelSets.length; set++) if (usedLabelSets[set] === 1) sets[set] = run.labelSet(set);
    return { stacks: numbers, labelSets: sets, mainMapping };
  }

  /** The function of these words. Mostly the name alone tells which one it is, without a hash. */
  functionRow(words: Uint32Array): number {
    const name = words[functionWords.name] ?? 0;
    const guess = this.#functionOfName[name] ?? 0;
    if (guess > 0 && this.functions.equals(guess, words, functionWords.count)) return guess;
    const number = this.functions.intern(words, functionWords.count);
    if (name >= this.#functionOfName.length) {
      const larger = new Uint32Array(Math.max(name + 1, this.#functionOfName.length * 2));
      larger.set(this.#functionOfName);
      this.#functionOfName = larger;
    }
    this.#functionOfName[name] = number;
    return number;
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
        table.append(row, count);
      }
    }
  }

  #tables(): readonly WordTable[] {
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

/** One profile's way into the dictionary: what was translated is remembered by the profile's own number, plus one. */
class ProfileInterning {
  readonly #dictionary: Dictionary;
  readonly #profile: Profile;
  readonly #strings: Uint32Array;
  readonly #functions: Uint32Array;
  readonly #mappings: Uint32Array;
  readonly #locations: Uint32Array;
  readonly #pooled: PooledRows | undefined;
  readonly #startLines: Uint32Array;
  readonly #addresses: Uint32Array;
  readonly #lineNumbers: Uint32Array;
  readonly #lineColumns: Uint32Array;
  #row = new Uint32Array(64);

  constructor(dictionary: Dictionary, profile: Profile, pooled: PooledRows | undefined) {
    this.#pooled = pooled;
    this.#dictionary = dictionary;
    this.#profile = profile;
    this.#startLines = wordsOf(profile.functions.startLine);
    this.#addresses = wordsOf(profile.locations.address);
    this.#lineNumbers = wordsOf(profile.locations.lineNumber);
    this.#lineColumns = wordsOf(profile.locations.lineColumn);
    this.#strings = new Uint32Array(profile.strings.length);
    this.#functions = new Uint32Array(profile.functions.length);
    this.#mappings = new Uint32Array(profile.mappings.length);
    this.#locations = new Uint32Array(profile.locations.length);
  }

  string(index: number): number {
    const known = this.#strings[index] ?? 0;
    if (known > 0) return known - 1;
    const text = this.#profile.strings[index] ?? '';
    const pooled = this.#pooled;
    const number =
      pooled === undefined
        ? this.#dictionary.string(text)
        : this.#dictionary.pooled(pooled, pooled.rows[index] ?? 0, text);
    this.#strings[index] = number + 1;
    return number;
  }

  function(index: number): number {
    const known = this.#functions[index] ?? 0;
    if (index === 0 || known > 0) return index === 0 ? 0 : known - 1;
    const { functions } = this.#profile;
    const row = this.#row;
    row[functionWords.name] = this.string(functions.nameString[index] ?? 0);
    row[functionWords.systemName] = this.string(functions.systemNameString[index] ?? 0);
    row[functionWords.file] = this.string(functions.fileString[index] ?? 0);
    put64(row, functionWords.startLine, this.#startLines, index);
    const number = this.#dictionary.functionRow(row);
    this.#functions[index] = number + 1;
    return number;
  }

  mapping(index: number): number {
    const known = this.#mappings[index] ?? 0;
    if (index === 0 || known > 0) return index === 0 ? 0 : known - 1;
    const { mappings } = this.#profile;
    const row = this.#row;
    put64(row, mappingWords.start, wordsOf(mappings.memoryStart), index);
    put64(row, mappingWords.limit, wordsOf(mappings.memoryLimit), index);
    put64(row, mappingWords.offset, wordsOf(mappings.fileOffset), index);
    row[mappingWords.file] = this.string(mappings.fileString[index] ?? 0);
    row[mappingWords.buildId] = this.string(mappings.buildIdString[index] ?? 0);
    row[mappingWords.flags] = mappings.flags[index] ?? 0;
    const number = this.#dictionary.mappings.intern(row, mappingWords.count);
    this.#mappings[index] = number + 1;
    return number;
  }

  location(index: number): number {
    const known = this.#locations[index] ?? 0;
    if (index === 0 || known > 0) return index === 0 ? 0 : known - 1;
    const { locations } = this.#profile;
    const firstLine = locations.lineOffset[index] ?? 0;
    const lines = (locations.lineOffset[index + 1] ?? 0) - firstLine;
    // Before the row is filled, since functions and mappings use the same scratch row.
    const mapping = this.mapping(locations.mapping[index] ?? 0);
    for (let line = 0; line < lines; line++) this.function(locations.lineFunction[firstLine + line] ?? 0);
    const count = locationWords.count + lines * lineWords.count;
    if (count > this.#row.length) this.#row = new Uint32Array(count * 2);
    const row = this.#row;
    row[locationWords.mapping] = mapping;
    put64(row, locationWords.address, this.#addresses, index);
    row[locationWords.isFolded] = locations.isFolded[index] ?? 0;
    for (let line = 0; line < lines; line++) {
      const at = locationWords.count + line * lineWords.count;
      row[at + lineWords.function] = this.function(locations.lineFunction[firstLine + line] ?? 0);
      put64(row, at + lineWords.line, this.#lineNumbers, firstLine + line);
      put64(row, at + lineWords.column, this.#lineColumns, firstLine + line);
    }
    const number = this.#dictionary.locations.intern(row, count);
    this.#locations[index] = number + 1;
    return number;
  }

  labelSet(index: number): number {
    const { labelSets } = this.#profile;
    const first = labelSets.offset[index] ?? 0;
    const labels = (labelSets.offset[index + 1] ?? 0) - first;
    if (labels === 0) return 0;
    const count = labels * labelWords.count;
    if (count > this.#row.length) this.#row = new Uint32Array(count * 2);
    const row = this.#row;
    for (let label = 0; label < labels; label++) {
      const at = label * labelWords.count;
      row[at + labelWords.key] = this.string(labelSets.keyString[first + label] ?? 0);
      row[at + labelWords.text] = this.string(labelSets.textString[first + label] ?? 0);
      put64(row, at + labelWords.number, wordsOf(labelSets.number), first + label);
      row[at + labelWords.unit] = this.string(labelSets.unitString[first + label] ?? 0);
    }
    return this.#dictionary.labelSets.intern(row, count);
  }
}

/** Writes one 64-bit number of a column as two words, by way of the column's own words: no BigInt is made. */
function put64(row: Uint32Array, at: number, words: Uint32Array, index: number): void {
  row[at] = words[index * 2] ?? 0;
  row[at + 1] = words[index * 2 + 1] ?? 0;
}

/** Everflame runs on little-endian machines only: the low word of each number comes first. */
function wordsOf(column: BigInt64Array | BigUint64Array): Uint32Array {
  return new Uint32Array(column.buffer, column.byteOffset, column.length * 2);
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
