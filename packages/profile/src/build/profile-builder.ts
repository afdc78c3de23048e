import { countTypeIndex } from '../codec/sample-reader.ts';
import { ProfileFailure } from '../profile-error.ts';
import type { FunctionTable, LocationTable, MappingTable, Profile, SampleTable, ValueType } from '../profile.ts';
import { labelSetColumns, stackColumns } from '../tables/columns.ts';
import { PairTable } from '../tables/pair-table.ts';
import { SequenceTable } from '../tables/sequence-table.ts';
import { addInt64 } from './overflow.ts';

/** What a profile says about itself. Left out: unset. */
export interface ProfileHeader {
  readonly sampleTypes: readonly ValueType[];
  readonly defaultSampleType?: string;
  readonly periodType?: ValueType;
  readonly period?: bigint;
  readonly timeNanos?: bigint;
  readonly durationNanos?: bigint;
  readonly comments?: readonly string[];
  readonly dropFrames?: string;
  readonly keepFrames?: string;
  readonly docUrl?: string;
}

export interface MappingInput {
  readonly memoryStart?: bigint;
  readonly memoryLimit?: bigint;
  readonly fileOffset?: bigint;
  readonly file?: string;
  readonly buildId?: string;
  /** As `MappingTable.flags`. */
  readonly flags?: number;
}

export interface FunctionInput {
  readonly name: string;
  /** As the linker knows it; `name` when left out. */
  readonly systemName?: string;
  readonly file?: string;
  readonly startLine?: bigint | number;
}

export interface LineInput {
  /** Row that `function()` gave; 0 for none. */
  readonly function: number;
  readonly line?: bigint | number;
  readonly column?: bigint | number;
}

export interface LocationInput {
  /** Row that `mapping()` gave; 0 or left out for none. */
  readonly mapping?: number;
  readonly address?: bigint;
  readonly isFolded?: boolean;
  /** Innermost (leaf-most inlined) first. */
  readonly lines?: readonly LineInput[];
}

/** Either text or a number with an optional unit. */
export interface LabelInput {
  readonly key: string;
  readonly text?: string;
  readonly number?: bigint | number;
  readonly unit?: string;
}

/**
 * Makes a `Profile`, everything interned: each method answers the row of what it was given, the same row for the same
 * content; row 0 stands for none or empty. Samples of the same stack and label set are summed, exactly; a sum beyond a
 * signed 64-bit integer throws a `ProfileFailure` with the code `overflow` and leaves the builder as it was.
 */
export class ProfileBuilder {
  readonly #header: ProfileHeader;
  readonly #typeCount: number;
  readonly #countType: number;
  readonly #strings: string[] = [''];
  readonly #stringRows = new Map<string, number>([['', 0]]);
  readonly #mappings = new SequenceTable();
  readonly #functions = new SequenceTable();
  readonly #locations = new SequenceTable();
  readonly #stacks = new PairTable(256);
  readonly #labelSets = new SequenceTable();
  readonly #samples = new PairTable(256);
  #values = new BigInt64Array(256);
  #counts = new Float64Array(256);

  constructor(header: ProfileHeader) {
    if (header.sampleTypes.length === 0) {
      throw new ProfileFailure('no_sample_types', 'A profile needs at least one sample type.', 'sample_type');
    }
    this.#header = header;
    this.#typeCount = header.sampleTypes.length;
    this.#countType = countTypeIndex(header.sampleTypes);
    this.#stacks.intern(0, 0);
  }

  /** How many different (stack, label set) were added. */
  get sampleCount(): number {
    return this.#samples.length;
  }

  /** The row of a string. Lone surrogates, which UTF-8 cannot say, become U+FFFD. */
  string(text: string): number {
    const known = this.#stringRows.get(text);
    if (known !== undefined) return known;
    const wellFormed = text.toWellFormed();
    if (wellFormed !== text) return this.string(wellFormed);
    const row = this.#strings.length;
    this.#strings.push(text);
    this.#stringRows.set(text, row);
    return row;
  }

  mapping(input: MappingInput): number {
    const table = this.#mappings;
    table.begin();
    table.put64(input.memoryStart ?? 0n);
    table.put64(input.memoryLimit ?? 0n);
    table.put64(input.fileOffset ?? 0n);
    table.put(this.string(input.file ?? ''));
    table.put(this.string(input.buildId ?? ''));
    table.put(input.flags ?? 0);
    return table.intern();
  }

  function(input: FunctionInput): number {
    const table = this.#functions;
    table.begin();
    table.put(this.string(input.name));
    table.put(this.string(input.systemName ?? input.name));
    table.put(this.string(input.file ?? ''));
    table.put64(BigInt(input.startLine ?? 0));
    return table.intern();
  }

  location(input: LocationInput): number {
    const table = this.#locations;
    table.begin();
    table.put(input.mapping ?? 0);
    table.put64(input.address ?? 0n);
    table.put(input.isFolded === true ? 1 : 0);
    for (const line of input.lines ?? []) {
      table.put(line.function);
      table.put64(BigInt(line.line ?? 0));
      table.put64(BigInt(line.column ?? 0));
    }
    return table.intern();
  }

  /** The stack made by calling `location` from `parent`; `parent` 0 makes a root. */
  stack(parent: number, location: number): number {
    if (location === 0) throw new ProfileFailure('invariant', 'The location 0 means "none" and is no frame.', 'sample');
    return this.#stacks.intern(parent, location);
  }

  /** The row of a label set, in the order given. */
  labelSet(labels: readonly LabelInput[]): number {
    if (labels.length === 0) return 0;
    const table = this.#labelSets;
    table.begin();
    for (const label of labels) {
      table.put(this.string(label.key));
      table.put(this.string(label.text ?? ''));
      table.put64(BigInt(label.number ?? 0));
      table.put(this.string(label.unit ?? ''));
    }
    return table.intern();
  }

  /**
   * Adds one value for each sample type. `count`: how many observations stand behind them; left out, it is the
   * `samples`/`count` value where there is one, else 1.
   */
  add(stack: number, labelSet: number, values: readonly bigint[], count?: number): void {
    const typeCount = this.#typeCount;
    if (values.length !== typeCount) {
      const message = `A sample has ${values.length} values for ${typeCount} sample types.`;
      throw new ProfileFailure('value_count', message, 'sample.value');
    }
    const row = this.#samples.find(stack, labelSet);
    const first = (row ?? this.#samples.length) * typeCount;
    // Summed before anything is stored, so that an overflow leaves no half.
    const sums = values.map((value, t) => addInt64(row === undefined ? 0n : (this.#values[first + t] ?? 0n), value));
    const added = count ?? (this.#countType < 0 ? 1 : Number(values[this.#countType] ?? 0n));
    const at = row ?? this.#samples.intern(stack, labelSet);
    this.#reserve(at + 1);
    for (let t = 0; t < typeCount; t++) this.#values[first + t] = sums[t] ?? 0n;
    this.#counts[at] = (this.#counts[at] ?? 0) + added;
  }

  /** The profile of what was added so far. The builder may be used further. */
  build(): Profile {
    const header = this.#header;
    const periodType = header.periodType ?? { type: '', unit: '' };
    for (const { type, unit } of [...header.sampleTypes, periodType]) {
      this.string(type);
      this.string(unit);
    }
    return {
      strings: [...this.#strings],
      sampleTypes: header.sampleTypes,
      defaultSampleType: header.defaultSampleType ?? '',
      periodType,
      period: header.period ?? 0n,
      timeNanos: header.timeNanos ?? 0n,
      durationNanos: header.durationNanos ?? 0n,
      comments: header.comments ?? [],
      dropFrames: header.dropFrames ?? '',
      keepFrames: header.keepFrames ?? '',
      docUrl: header.docUrl ?? '',
      mappings: mappingColumns(this.#mappings),
      functions: functionColumns(this.#functions),
      locations: locationColumns(this.#locations),
      stacks: stackColumns(this.#stacks),
      labelSets: labelSetColumns(this.#labelSets),
      samples: this.#sampleColumns(),
    };
  }

  #sampleColumns(): SampleTable {
    const { length } = this.#samples;
    const { first, second } = this.#samples.columns();
    return {
      length,
      stack: first,
      labelSet: second,
      values: this.#values.slice(0, length * this.#typeCount),
      count: this.#counts.slice(0, length),
    };
  }

  #reserve(samples: number): void {
    if (samples > this.#counts.length) {
      const counts = new Float64Array(this.#counts.length * 2);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    if (samples * this.#typeCount > this.#values.length) {
      const values = new BigInt64Array(Math.max(samples * this.#typeCount, this.#values.length * 2));
      values.set(this.#values);
      this.#values = values;
    }
  }
}

function mappingColumns(table: SequenceTable): MappingTable {
  const { length } = table;
  return {
    length,
    memoryStart: column64(table, 0),
    memoryLimit: column64(table, 2),
    fileOffset: column64(table, 4),
    fileString: column32(table, 6),
    buildIdString: column32(table, 7),
    flags: Uint8Array.from(column32(table, 8)),
  };
}

function functionColumns(table: SequenceTable): FunctionTable {
  const startLine = column64(table, 3);
  return {
    length: table.length,
    nameString: column32(table, 0),
    systemNameString: column32(table, 1),
    fileString: column32(table, 2),
    startLine: new BigInt64Array(startLine.buffer),
  };
}

/** Words of a location before its lines, and of each line. */
const LOCATION_WORDS = 4;
const LINE_WORDS = 5;

function locationColumns(table: SequenceTable): LocationTable {
  const { length } = table;
  const lineOffset = new Uint32Array(length + 1);
  for (let row = 1; row < length; row++) {
    const words = table.offset.at(row + 1) - table.offset.at(row);
    lineOffset[row + 1] = (lineOffset[row] ?? 0) + (words - LOCATION_WORDS) / LINE_WORDS;
  }
  const lineCount = lineOffset[length] ?? 0;
  const lineFunction = new Uint32Array(lineCount);
  const lineNumber = new Uint32Array(lineCount * 2);
  const lineColumn = new Uint32Array(lineCount * 2);
  for (let row = 1; row < length; row++) {
    const first = lineOffset[row] ?? 0;
    const end = lineOffset[row + 1] ?? 0;
    for (let line = first; line < end; line++) {
      const at = LOCATION_WORDS + (line - first) * LINE_WORDS;
      lineFunction[line] = table.word(row, at);
      lineNumber[line * 2] = table.word(row, at + 1);
      lineNumber[line * 2 + 1] = table.word(row, at + 2);
      lineColumn[line * 2] = table.word(row, at + 3);
      lineColumn[line * 2 + 1] = table.word(row, at + 4);
    }
  }
  return {
    length,
    mapping: column32(table, 0),
    address: column64(table, 1),
    isFolded: Uint8Array.from(column32(table, 3)),
    lineOffset,
    lineFunction,
    lineNumber: new BigInt64Array(lineNumber.buffer),
    lineColumn: new BigInt64Array(lineColumn.buffer),
  };
}

/** Word `index` of every row; row 0, which has no words, is 0. */
function column32(table: SequenceTable, index: number): Uint32Array<ArrayBuffer> {
  const column = new Uint32Array(table.length);
  for (let row = 1; row < table.length; row++) column[row] = table.word(row, index);
  return column;
}

function column64(table: SequenceTable, index: number): BigUint64Array<ArrayBuffer> {
  const halves = new Uint32Array(table.length * 2);
  for (let row = 1; row < table.length; row++) {
    halves[row * 2] = table.word(row, index);
    halves[row * 2 + 1] = table.word(row, index + 1);
  }
  return new BigUint64Array(halves.buffer);
}
