import { discard, type PathProfile, type Profile } from '@everflame/profile';
import { type Dictionary, functionWords, labelWords, lineWords, locationWords, mappingWords } from './dictionary.ts';

/** The rows of a dictionary that a profile's own rows became. */
export interface InternedProfile {
  /** By sample. */
  readonly stacks: Uint32Array;
  /** By the profile's number; 0 where no sample uses it. */
  readonly labelSets: Uint32Array;
  /** The profile's first mapping, which pprof takes for the main binary; 0 when it has none. */
  readonly mainMapping: number;
}

/** Adds what the samples of the profile use. */
export function internProfile(dictionary: Dictionary, profile: Profile | PathProfile): InternedProfile {
  return new ProfileInterning(dictionary, profile).run();
}

/**
 * One profile's way into a dictionary, table by table: what samples use of it, then strings, functions, locations, stacks. A table is gone through in one
 * loop whose turns do not depend on each other, since nearly all of the time is waiting for memory (see `WordTable.internMany`).
 */
class ProfileInterning {
  readonly #dictionary: Dictionary;
  readonly #profile: Profile | PathProfile;
  /** By the profile's number: number in the dictionary, plus one. */
  readonly #strings: Uint32Array;
  readonly #mappings: Uint32Array;

  constructor(dictionary: Dictionary, profile: Profile | PathProfile) {
    this.#dictionary = dictionary;
    this.#profile = profile;
    this.#strings = dictionary.numbersOf(profile.strings);
    this.#mappings = new Uint32Array(profile.mappings.length);
  }

  run(): InternedProfile {
    const profile = this.#profile;
    const mainMapping = profile.mappings.length > 1 ? this.#mapping(1) : 0;
    const used = usedLocations(profile);
    const functions = this.#internFunctions(this.#usedFunctions(used));
    const locations = this.#internLocations(used, functions);
    const stacks =
      'paths' in profile
        ? this.#dictionary.paths.internMany(profile.paths, locations)
        : this.#internTree(profile, locations);
    discard(used, functions, locations);
    return { stacks, labelSets: this.#internLabelSets(), mainMapping };
  }

  /** By sample. */
  #internTree({ stacks, samples }: Profile, locations: Uint32Array): Uint32Array {
    const used = usedStacks(stacks, samples);
    const location = new Uint32Array(stacks.length);
    for (let i = 1; i < stacks.length; i++) if (used[i] === 1) location[i] = locations[stacks.location[i] ?? 0] ?? 0;
    const rows = this.#dictionary.stacks.internTree({ length: stacks.length, parent: stacks.parent, location });
    const ofSamples = samples.stack.map((stack) => rows[stack] ?? 0);
    discard(used, location, rows);
    return ofSamples;
  }

  #internLabelSets(): Uint32Array {
    const { labelSets, samples } = this.#profile;
    const used = new Uint8Array(labelSets.length);
    for (let i = 0; i < samples.length; i++) used[samples.labelSet[i] ?? 0] = 1;
    return Uint32Array.from(used, (isUsed, set) => (isUsed === 1 ? this.#labelSet(set) : 0));
  }

  #usedFunctions(isLocationUsed: Uint8Array): Uint8Array {
    const { locations, functions } = this.#profile;
    const used = new Uint8Array(functions.length);
    for (let location = 1; location < locations.length; location++) {
      if (isLocationUsed[location] !== 1) continue;
      const end = locations.lineOffset[location + 1] ?? 0;
      for (let line = locations.lineOffset[location] ?? 0; line < end; line++)
        used[locations.lineFunction[line] ?? 0] = 1;
    }
    return used;
  }

  /** By the profile's number; 0 where no sample uses it. */
  #internFunctions(used: Uint8Array): Uint32Array {
    const { functions } = this.#profile;
    const { nameString, systemNameString, fileString } = functions;
    const startLines = wordsOf(functions.startLine);
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
    const number = this.#dictionary.string(this.#profile.strings[index] ?? '');
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

/** By stack: whether a sample ends in it or in what it calls. What samples do not use is not stored. */
function usedStacks({ length, parent }: Profile['stacks'], samples: Profile['samples']): Uint8Array {
  const used = new Uint8Array(length);
  for (let i = 0; i < samples.length; i++) used[samples.stack[i] ?? 0] = 1;
  for (let stack = length - 1; stack > 0; stack--) if (used[stack] === 1) used[parent[stack] ?? 0] = 1;
  return used;
}

/** By location: whether a sample's stack has it. */
function usedLocations(profile: Profile | PathProfile): Uint8Array {
  const used = new Uint8Array(profile.locations.length);
  if ('paths' in profile) {
    const { location } = profile.paths;
    for (let i = 0; i < location.length; i++) used[location[i] ?? 0] = 1;
    return used;
  }
  const { stacks, samples } = profile;
  const isUsed = usedStacks(stacks, samples);
  for (let stack = 1; stack < stacks.length; stack++) if (isUsed[stack] === 1) used[stacks.location[stack] ?? 0] = 1;
  return used;
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
