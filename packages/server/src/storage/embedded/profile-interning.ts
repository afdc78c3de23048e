import { discard, type PooledRows, type Profile, type StringPool } from '@everflame/profile';
import { type Dictionary, functionWords, labelWords, lineWords, locationWords, mappingWords } from './dictionary.ts';

/** The rows of a dictionary that a profile's own rows became. */
export interface InternedProfile {
  /** By the profile's stack number; 0 where no sample uses it. */
  readonly stacks: Uint32Array;
  readonly labelSets: Uint32Array;
  /** The profile's first mapping, which pprof takes for the main binary; 0 when it has none. */
  readonly mainMapping: number;
}

/** Adds what the samples of the profile use. `pool`: where its strings may have been read from. */
export function internProfile(dictionary: Dictionary, profile: Profile, pool?: StringPool): InternedProfile {
  return new ProfileInterning(dictionary, profile, pool?.rowsOf(profile.strings)).run();
}

/**
 * One profile's way into a dictionary, table by table: what samples use of it, then strings, functions, locations, stacks. A table is gone through in one
 * loop whose turns do not depend on each other, since nearly all of the time is waiting for memory (see `WordTable.internMany`).
 */
class ProfileInterning {
  readonly #dictionary: Dictionary;
  readonly #profile: Profile;
  readonly #pooled: PooledRows | undefined;
  /** By the profile's number: number in the dictionary, plus one. */
  readonly #strings: Uint32Array;
  readonly #mappings: Uint32Array;

  /** `pooled`: the pool's row of each string, where the profile was read with one. */
  constructor(dictionary: Dictionary, profile: Profile, pooled: PooledRows | undefined) {
    this.#dictionary = dictionary;
    this.#profile = profile;
    this.#pooled = pooled;
    this.#strings = new Uint32Array(profile.strings.length);
    this.#mappings = new Uint32Array(profile.mappings.length);
  }

  run(): InternedProfile {
    const { stacks, labelSets, mappings } = this.#profile;
    const used = this.#markUsed();
    const mainMapping = mappings.length > 1 ? this.#mapping(1) : 0;
    const functions = this.#internFunctions(used.functions);
    const locations = this.#internLocations(used.locations, functions);
    const numbers = this.#dictionary.stacks.internTree(stacks, used.stacks, locations);
    discard(used.stacks, used.locations, used.functions, functions, locations);
    const sets = new Uint32Array(labelSets.length);
    for (let set = 1; set < labelSets.length; set++) if (used.labelSets[set] === 1) sets[set] = this.#labelSet(set);
    return { stacks: numbers, labelSets: sets, mainMapping };
  }

  /** What samples do not use is not stored. */
  #markUsed() {
    const { stacks, samples, labelSets, locations, functions } = this.#profile;
    const used = {
      stacks: new Uint8Array(stacks.length),
      labelSets: new Uint8Array(labelSets.length),
      locations: new Uint8Array(locations.length),
      functions: new Uint8Array(functions.length),
    };
    for (let i = 0; i < samples.length; i++) {
      used.stacks[samples.stack[i] ?? 0] = 1;
      used.labelSets[samples.labelSet[i] ?? 0] = 1;
    }
    for (let stack = stacks.length - 1; stack > 0; stack--) {
      if (used.stacks[stack] !== 1) continue;
      used.stacks[stacks.parent[stack] ?? 0] = 1;
      used.locations[stacks.location[stack] ?? 0] = 1;
    }
    for (let location = 1; location < locations.length; location++) {
      if (used.locations[location] !== 1) continue;
      const end = locations.lineOffset[location + 1] ?? 0;
      for (let line = locations.lineOffset[location] ?? 0; line < end; line++)
        used.functions[locations.lineFunction[line] ?? 0] = 1;
    }
    return used;
  }

  /** By the profile's number; 0 where no sample uses it. */
  #internFunctions(used: Uint8Array): Uint32Array {
    const { functions } = this.#profile;
    const { nameString, systemNameString, fileString } = functions;
    const startLines = wordsOf(functions.startLine);
    const wanted = new Uint8Array(this.#profile.strings.length);
    for (let i = 1; i < functions.length; i++) {
      if (used[i] !== 1) continue;
      wanted[nameString[i] ?? 0] = 1;
      wanted[systemNameString[i] ?? 0] = 1;
      wanted[fileString[i] ?? 0] = 1;
    }
    for (let i = 0; i < wanted.length; i++) if (wanted[i] === 1) this.#string(i);
    const numbers = new Uint32Array(functions.length);
    const row = new Uint32Array(functionWords.count);
    for (let i = 1; i < functions.length; i++) {
      if (used[i] !== 1) continue;
      row[functionWords.name] = this.#string(nameString[i] ?? 0);
      row[functionWords.systemName] = this.#string(systemNameString[i] ?? 0);
      row[functionWords.file] = this.#string(fileString[i] ?? 0);
      put64(row, functionWords.startLine, startLines, i);
      numbers[i] = this.#dictionary.functionRow(row);
    }
    return numbers;
  }

  /** By the profile's number; 0 where no sample uses it. */
  #internLocations(used: Uint8Array, functions: Uint32Array): Uint32Array {
    const { locations } = this.#profile;
    const { lineOffset, lineFunction } = locations;
    const addresses = wordsOf(locations.address);
    const lineNumbers = wordsOf(locations.lineNumber);
    const lineColumns = wordsOf(locations.lineColumn);
    const rows = new Uint32Array(locations.length * locationWords.count + lineFunction.length * lineWords.count);
    const offsets = new Uint32Array(locations.length + 1);
    const which = new Uint32Array(locations.length);
    let count = 0;
    let at = 0;
    for (let i = 1; i < locations.length; i++) {
      if (used[i] !== 1) continue;
      rows[at + locationWords.mapping] = this.#mapping(locations.mapping[i] ?? 0);
      put64(rows, at + locationWords.address, addresses, i);
      rows[at + locationWords.isFolded] = locations.isFolded[i] ?? 0;
      at += locationWords.count;
      for (let line = lineOffset[i] ?? 0; line < (lineOffset[i + 1] ?? 0); line++) {
        rows[at + lineWords.function] = functions[lineFunction[line] ?? 0] ?? 0;
        put64(rows, at + lineWords.line, lineNumbers, line);
        put64(rows, at + lineWords.column, lineColumns, line);
        at += lineWords.count;
      }
      which[count++] = i;
      offsets[count] = at;
    }
    const found = this.#dictionary.locations.internMany(rows, offsets, count);
    const numbers = new Uint32Array(locations.length);
    for (let i = 0; i < count; i++) numbers[which[i] ?? 0] = found[i] ?? 0;
    discard(rows, offsets, which, found);
    return numbers;
  }

  #string(index: number): number {
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

  #mapping(index: number): number {
    const known = this.#mappings[index] ?? 0;
    if (index === 0 || known > 0) return index === 0 ? 0 : known - 1;
    const { mappings } = this.#profile;
    const row = new Uint32Array(mappingWords.count);
    put64(row, mappingWords.start, wordsOf(mappings.memoryStart), index);
    put64(row, mappingWords.limit, wordsOf(mappings.memoryLimit), index);
    put64(row, mappingWords.offset, wordsOf(mappings.fileOffset), index);
    row[mappingWords.file] = this.#string(mappings.fileString[index] ?? 0);
    row[mappingWords.buildId] = this.#string(mappings.buildIdString[index] ?? 0);
    row[mappingWords.flags] = mappings.flags[index] ?? 0;
    const number = this.#dictionary.mappings.intern(row, mappingWords.count);
    this.#mappings[index] = number + 1;
    return number;
  }

  #labelSet(index: number): number {
    const { labelSets } = this.#profile;
    const first = labelSets.offset[index] ?? 0;
    const labels = (labelSets.offset[index + 1] ?? 0) - first;
    if (labels === 0) return 0;
    const row = new Uint32Array(labels * labelWords.count);
    for (let label = 0; label < labels; label++) {
      const at = label * labelWords.count;
      row[at + labelWords.key] = this.#string(labelSets.keyString[first + label] ?? 0);
      row[at + labelWords.text] = this.#string(labelSets.textString[first + label] ?? 0);
      put64(row, at + labelWords.number, wordsOf(labelSets.number), first + label);
      row[at + labelWords.unit] = this.#string(labelSets.unitString[first + label] ?? 0);
    }
    return this.#dictionary.labelSets.intern(row, row.length);
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
