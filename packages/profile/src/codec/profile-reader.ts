import type {
  FunctionTable,
  LocationTable,
  MappingTable,
  PathProfile,
  Profile,
  ProfileFacts,
  ValueType,
} from '../profile.ts';
import { GrowableU32, GrowableU64 } from '../tables/growable.ts';
import { IdTable } from '../tables/id-table.ts';
import { BYTES, Scalars, VARINT, WireReader } from '../wire/wire-reader.ts';
import type { DecodeLimits } from './decode-limits.ts';
import type { MessageKind } from './field-names.ts';
import { FieldPath } from './field-path.ts';
import { SampleReader } from './sample-reader.ts';
import type { StringPool } from './string-pool.ts';
import { StringReader } from './string-reader.ts';

/** Start and end offsets of the messages of one repeated field. */
class Spans {
  readonly bounds: GrowableU32;
  constructor(expected = 8) {
    this.bounds = new GrowableU32(expected * 2);
  }
  get length(): number {
    return this.bounds.length / 2;
  }
}

/** Reads one message; made anew for each. The order of the file's fields is free, so spans are found first and read after. */
export class ProfileReader {
  readonly #reader: WireReader;
  readonly #limits: DecodeLimits;
  readonly #strings: StringReader;
  readonly #path = new FieldPath();
  /** Fields of the message at hand, and of one inside of it. */
  readonly #fields = new Scalars();
  readonly #innerFields = new Scalars();

  constructor(bytes: Uint8Array, limits: DecodeLimits, pool?: StringPool) {
    this.#limits = limits;
    this.#reader = new WireReader(bytes, (field) => this.#path.text(field));
    this.#strings = new StringReader(this.#reader, pool);
  }

  readTree(): Profile {
    return this.#read((samples, bounds) => samples.readTree(bounds));
  }

  readPaths(): Profile | PathProfile {
    return this.#read((samples, bounds) => samples.readPaths(bounds));
  }

  #read<Read>(
    readSamples: (samples: SampleReader, bounds: GrowableU32) => Read,
  ): Omit<ProfileFacts, 'labelSets'> & Read {
    const reader = this.#reader;
    const sampleTypeSpans = new Spans();
    // Of 100 bytes about one is a string, a function and a location each, most of them the string's: room that seldom has to grow.
    const expected = Math.ceil(reader.bytes.length / 80);
    const sampleSpans = new Spans(expected >> 2);
    const mappingSpans = new Spans();
    const locationSpans = new Spans(expected);
    const functionSpans = new Spans(expected);
    const periodTypeSpans = new Spans();
    const stringSpans = new Spans(expected);
    const commentIndexes = new GrowableU64(4);
    const header = new Scalars();
    let sampleBytes = 0;

    this.#refuseCompressed(reader.bytes);
    while (reader.next()) {
      switch (reader.field) {
        case 1:
          this.#span(sampleTypeSpans, this.#limits.maxSampleTypes);
          break;
        case 2:
          this.#span(sampleSpans, this.#limits.maxSamples);
          sampleBytes += reader.position - sampleSpans.bounds.at(sampleSpans.bounds.length - 2);
          break;
        case 3:
          this.#span(mappingSpans, this.#limits.maxMappings);
          break;
        case 4:
          this.#span(locationSpans, this.#limits.maxLocations);
          break;
        case 5:
          this.#span(functionSpans, this.#limits.maxFunctions);
          break;
        case 6:
          this.#span(stringSpans, this.#limits.maxStrings);
          break;
        case 7:
        case 8:
        case 9:
        case 10:
        case 12:
        case 14:
        case 15:
          reader.scalar();
          header.low[reader.field] = reader.low;
          header.high[reader.field] = reader.high;
          break;
        case 11:
          this.#span(periodTypeSpans, undefined);
          break;
        case 13:
          this.#repeated(commentIndexes);
          break;
        default:
          reader.skip();
      }
    }
    if (sampleTypeSpans.length === 0) {
      reader.field = 1;
      reader.fail('no_sample_types', 'there is none, so there is nothing that a sample could count');
    }
    reader.field = 6;
    this.#strings.read(stringSpans.bounds);

    const sampleTypes = this.#valueTypes(sampleTypeSpans);
    // A singular message that occurs twice is merged, field by field (protobuf's rule).
    const periodType = this.#mergedValueType(periodTypeSpans);
    const { mappings, ids: mappingIds } = this.#mappings(mappingSpans);
    const { functions, ids: functionIds } = this.#functions(functionSpans);
    const { locations, ids: locationIds } = this.#locations(locationSpans, mappingIds, functionIds);
    const sampleReader = new SampleReader(
      reader,
      this.#path,
      this.#strings,
      locationIds,
      sampleTypes,
      this.#limits,
      sampleBytes,
    );
    const samples = readSamples(sampleReader, sampleSpans.bounds);

    for (const ids of [mappingIds, functionIds, locationIds]) ids.discard();
    for (const spans of [sampleSpans, locationSpans, functionSpans, stringSpans]) spans.bounds.discard();

    this.#path.enter('profile');
    const headerNumber = (field: number): bigint =>
      BigInt.asIntN(64, (BigInt(header.high[field] ?? 0) << 32n) | BigInt(header.low[field] ?? 0));
    const headerString = (field: number): string => {
      reader.field = field;
      return this.#strings.text(header.low[field] ?? 0, header.high[field] ?? 0);
    };
    reader.field = 13;
    const comments = Array.from({ length: commentIndexes.length }, (_, i) =>
      this.#strings.text(commentIndexes.halves.at(i * 2), commentIndexes.halves.at(i * 2 + 1)),
    );
    return {
      strings: this.#strings.rows,
      sampleTypes,
      defaultSampleType: headerString(14),
      periodType,
      period: headerNumber(12),
      timeNanos: headerNumber(9),
      durationNanos: headerNumber(10),
      comments,
      dropFrames: headerString(7),
      keepFrames: headerString(8),
      docUrl: headerString(15),
      mappings,
      functions,
      locations,
      ...samples,
    };
  }

  #refuseCompressed(bytes: Uint8Array): void {
    const [a, b, c, d] = bytes;
    if (a === 0x1f && b === 0x8b) this.#reader.fail('not_protobuf', 'this is gzip; decompress it first');
    if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) {
      this.#reader.fail('not_protobuf', 'this is zstd; decompress it first');
    }
  }

  #span(spans: Spans, limit: number | undefined): void {
    const end = this.#reader.delimited();
    if (limit !== undefined && spans.length >= limit) this.#reader.fail('too_large', `there are more than ${limit}`);
    spans.bounds.push(this.#reader.position);
    spans.bounds.push(end);
    this.#reader.position = end;
  }

  #repeated(column: GrowableU64): void {
    const reader = this.#reader;
    if (reader.wireType === VARINT) {
      reader.varint();
      column.push(reader.low, reader.high);
    } else if (reader.wireType === BYTES) {
      const outerEnd = reader.end;
      reader.end = reader.delimited();
      while (reader.position < reader.end) {
        reader.varint();
        column.push(reader.low, reader.high);
      }
      reader.end = outerEnd;
    } else reader.failWireType();
  }

  #enter(spans: Spans, index: number, message: MessageKind): void {
    this.#path.enter(message, index);
    this.#reader.position = spans.bounds.at(index * 2);
    this.#reader.end = spans.bounds.at(index * 2 + 1);
  }

  #valueTypes(spans: Spans): ValueType[] {
    return Array.from({ length: spans.length }, (_, index) => this.#valueType(spans, index, { type: '', unit: '' }));
  }

  #mergedValueType(spans: Spans): ValueType {
    let merged: ValueType = { type: '', unit: '' };
    for (let i = 0; i < spans.length; i++) {
      merged = this.#valueType(spans, i, merged, -1);
    }
    return merged;
  }

  #valueType(spans: Spans, index: number, before: ValueType, shownIndex = index): ValueType {
    const reader = this.#reader;
    this.#enter(spans, index, 'valueType');
    this.#path.index = shownIndex;
    const { low, high } = this.#fields;
    this.#fields.clear(2);
    let hasType = false;
    let hasUnit = false;
    while (reader.next()) {
      if (reader.field > 2) {
        reader.skip();
        continue;
      }
      reader.scalar();
      if (reader.field === 1) hasType = true;
      else hasUnit = true;
      low[reader.field] = reader.low;
      high[reader.field] = reader.high;
    }
    const { rows } = this.#strings;
    const type = hasType ? (rows[this.#text(1)] ?? '') : before.type;
    const unit = hasUnit ? (rows[this.#text(2)] ?? '') : before.unit;
    return { type, unit };
  }

  /** Registers the id of the entry just read. */
  #register(ids: IdTable): void {
    const reader = this.#reader;
    const low = this.#fields.low[1] ?? 0;
    const high = this.#fields.high[1] ?? 0;
    reader.field = 1;
    if (low === 0 && high === 0) reader.fail('reserved_id', 'the id 0 means "none" and cannot be given to an entry');
    if (ids.add(low, high) === 0) {
      const id = (BigInt(high) << 32n) | BigInt(low);
      reader.fail('duplicate_id', `the id ${id} is there twice`);
    }
  }

  #mappings(spans: Spans): { mappings: MappingTable; ids: IdTable } {
    const reader = this.#reader;
    const length = spans.length + 1;
    const ids = new IdTable(length);
    const memoryStart = new Uint32Array(length * 2);
    const memoryLimit = new Uint32Array(length * 2);
    const fileOffset = new Uint32Array(length * 2);
    const fileString = new Uint32Array(length);
    const buildIdString = new Uint32Array(length);
    const flags = new Uint8Array(length);
    const wide = [
      [memoryStart, 2],
      [memoryLimit, 3],
      [fileOffset, 4],
    ] as const;
    const { low, high } = this.#fields;
    for (let row = 1; row < length; row++) {
      this.#enter(spans, row - 1, 'mapping');
      reader.scalars(this.#fields, 10);
      for (const [column, field] of wide) {
        column[row * 2] = low[field] ?? 0;
        column[row * 2 + 1] = high[field] ?? 0;
      }
      for (let bit = 0; bit < 4; bit++)
        if (((low[bit + 7] ?? 0) | (high[bit + 7] ?? 0)) !== 0) flags[row] = (flags[row] ?? 0) | (1 << bit);
      fileString[row] = this.#text(5);
      buildIdString[row] = this.#text(6);
      this.#register(ids);
    }
    const mappings = {
      length,
      memoryStart: new BigUint64Array(memoryStart.buffer),
      memoryLimit: new BigUint64Array(memoryLimit.buffer),
      fileOffset: new BigUint64Array(fileOffset.buffer),
      fileString,
      buildIdString,
      flags,
    };
    return { mappings, ids };
  }

  #functions(spans: Spans): { functions: FunctionTable; ids: IdTable } {
    const reader = this.#reader;
    const length = spans.length + 1;
    const ids = new IdTable(length);
    const nameString = new Uint32Array(length);
    const systemNameString = new Uint32Array(length);
    const fileString = new Uint32Array(length);
    const startLine = new Uint32Array(length * 2);
    const { low, high } = this.#fields;
    for (let row = 1; row < length; row++) {
      this.#enter(spans, row - 1, 'function');
      reader.scalars(this.#fields, 5);
      startLine[row * 2] = low[5] ?? 0;
      startLine[row * 2 + 1] = high[5] ?? 0;
      nameString[row] = this.#text(2);
      systemNameString[row] = this.#text(3);
      fileString[row] = this.#text(4);
      this.#register(ids);
    }
    const functions = {
      length,
      nameString,
      systemNameString,
      fileString,
      startLine: new BigInt64Array(startLine.buffer),
    };
    return { functions, ids };
  }

  #locations(spans: Spans, mappingIds: IdTable, functionIds: IdTable): { locations: LocationTable; ids: IdTable } {
    const reader = this.#reader;
    const length = spans.length + 1;
    const ids = new IdTable(length);
    const mapping = new Uint32Array(length);
    const address = new Uint32Array(length * 2);
    const isFolded = new Uint8Array(length);
    const lineOffset = new Uint32Array(length + 1);
    const lineFunction = new GrowableU32(length);
    const lineNumber = new GrowableU64(length);
    const lineColumn = new GrowableU64(length);
    const { low, high } = this.#fields;
    for (let row = 1; row < length; row++) {
      lineOffset[row] = lineFunction.length;
      this.#enter(spans, row - 1, 'location');
      this.#fields.clear(5);
      while (reader.next()) {
        const { field } = reader;
        if (field === 4) {
          const outerEnd = reader.end;
          reader.end = reader.delimited();
          this.#path.enterInner('line', lineFunction.length - (lineOffset[row] ?? 0));
          this.#line(functionIds, lineFunction, lineNumber, lineColumn);
          this.#path.leaveInner();
          reader.end = outerEnd;
        } else if (field <= 5) {
          reader.scalar();
          low[field] = reader.low;
          high[field] = reader.high;
        } else reader.skip();
      }
      address[row * 2] = low[3] ?? 0;
      address[row * 2 + 1] = high[3] ?? 0;
      isFolded[row] = ((low[5] ?? 0) | (high[5] ?? 0)) === 0 ? 0 : 1;
      mapping[row] = this.#reference(mappingIds, low[2] ?? 0, high[2] ?? 0, 2, 'mapping');
      this.#register(ids);
    }
    lineOffset[length] = lineFunction.length;
    const lineColumns = {
      lineFunction: lineFunction.toArray(),
      lineNumber: lineNumber.toSigned(),
      lineColumn: lineColumn.toSigned(),
    };
    for (const column of [lineFunction, lineNumber.halves, lineColumn.halves]) column.discard();
    const locations = {
      length,
      mapping,
      address: new BigUint64Array(address.buffer),
      isFolded,
      lineOffset,
      ...lineColumns,
    };
    return { locations, ids };
  }

  #line(functionIds: IdTable, functions: GrowableU32, numbers: GrowableU64, columns: GrowableU64): void {
    const { low, high } = this.#innerFields;
    this.#reader.scalars(this.#innerFields, 3);
    functions.push(this.#reference(functionIds, low[1] ?? 0, high[1] ?? 0, 1, 'function'));
    numbers.push(low[2] ?? 0, high[2] ?? 0);
    columns.push(low[3] ?? 0, high[3] ?? 0);
  }

  /** The row of an id that `field` holds; 0 for the id 0. */
  #reference(ids: IdTable, low: number, high: number, field: number, table: string): number {
    if (low === 0 && high === 0) return 0;
    const row = ids.row(low, high);
    if (row === 0) {
      const id = (BigInt(high) << 32n) | BigInt(low);
      this.#reader.field = field;
      this.#reader.fail('index_out_of_range', `there is no ${table} with the id ${id}`);
    }
    return row;
  }

  /** The row of the string that `field` of the message just read names. */
  #text(field: number): number {
    this.#reader.field = field;
    return this.#strings.row(this.#fields.low[field] ?? 0, this.#fields.high[field] ?? 0);
  }
}
