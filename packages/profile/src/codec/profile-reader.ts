import type { FunctionTable, LocationTable, MappingTable, Profile, ValueType } from '../profile.ts';
import { GrowableU32, GrowableU64 } from '../tables/growable.ts';
import { IdTable } from '../tables/id-table.ts';
import { BYTES, VARINT, WireReader } from '../wire/wire-reader.ts';
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

/**
 * The last value of some fields of one message. Of a scalar that occurs twice the last counts, so that references are
 * looked up only when the message has been read.
 */
class LastScalars {
  readonly #halves = new Uint32Array(16 * 2);
  clear(): void {
    this.#halves.fill(0);
  }
  set(field: number, low: number, high: number): void {
    this.#halves[field * 2] = low;
    this.#halves[field * 2 + 1] = high;
  }
  low(field: number): number {
    return this.#halves[field * 2] ?? 0;
  }
  high(field: number): number {
    return this.#halves[field * 2 + 1] ?? 0;
  }
}

/** Reads one message; made anew for each. The order of the file's fields is free, so spans are found first and read after. */
export class ProfileReader {
  readonly #reader: WireReader;
  readonly #limits: DecodeLimits;
  readonly #strings: StringReader;
  readonly #path = new FieldPath();
  readonly #texts = new LastScalars();

  constructor(bytes: Uint8Array, limits: DecodeLimits, pool?: StringPool) {
    this.#limits = limits;
    this.#reader = new WireReader(bytes, (field) => this.#path.text(field));
    this.#strings = new StringReader(this.#reader, pool);
  }

  read(): Profile {
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
    // Halves of the scalars by field number.
    const scalars = new Uint32Array(16 * 2);
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
          scalars[reader.field * 2] = reader.low;
          scalars[reader.field * 2 + 1] = reader.high;
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
    const samples = new SampleReader(
      reader,
      this.#path,
      this.#strings,
      locationIds,
      sampleTypes,
      this.#limits,
      sampleBytes,
    ).read(sampleSpans.bounds);

    for (const ids of [mappingIds, functionIds, locationIds]) ids.discard();
    for (const spans of [sampleSpans, locationSpans, functionSpans, stringSpans]) spans.bounds.discard();

    this.#path.enter('profile');
    const headerNumber = (field: number): bigint =>
      BigInt.asIntN(64, (BigInt(scalars[field * 2 + 1] ?? 0) << 32n) | BigInt(scalars[field * 2] ?? 0));
    const headerString = (field: number): string => {
      reader.field = field;
      return this.#strings.text(scalars[field * 2] ?? 0, scalars[field * 2 + 1] ?? 0);
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
    this.#texts.clear();
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
      this.#texts.set(reader.field, reader.low, reader.high);
    }
    const { rows } = this.#strings;
    const type = hasType ? (rows[this.#text(1)] ?? '') : before.type;
    const unit = hasUnit ? (rows[this.#text(2)] ?? '') : before.unit;
    return { type, unit };
  }

  /** Registers the id of the entry just read. */
  #register(ids: IdTable, low: number, high: number): void {
    const reader = this.#reader;
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
    for (let row = 1; row < length; row++) {
      this.#enter(spans, row - 1, 'mapping');
      this.#texts.clear();
      let idLow = 0;
      let idHigh = 0;
      while (reader.next()) {
        const field = reader.field;
        if (field > 10) {
          reader.skip();
          continue;
        }
        reader.scalar();
        const { low, high } = reader;
        if (field === 1) {
          idLow = low;
          idHigh = high;
        } else if (field <= 4) {
          const column = field === 2 ? memoryStart : field === 3 ? memoryLimit : fileOffset;
          column[row * 2] = low;
          column[row * 2 + 1] = high;
        } else if (field <= 6) this.#texts.set(field, low, high);
        else {
          const bit = 1 << (field - 7);
          const before = flags[row] ?? 0;
          flags[row] = (low | high) === 0 ? before & ~bit : before | bit;
        }
      }
      fileString[row] = this.#text(5);
      buildIdString[row] = this.#text(6);
      this.#register(ids, idLow, idHigh);
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
    for (let row = 1; row < length; row++) {
      this.#enter(spans, row - 1, 'function');
      this.#texts.clear();
      let idLow = 0;
      let idHigh = 0;
      while (reader.next()) {
        const field = reader.field;
        if (field > 5) {
          reader.skip();
          continue;
        }
        reader.scalar();
        const { low, high } = reader;
        if (field === 1) {
          idLow = low;
          idHigh = high;
        } else if (field === 5) {
          startLine[row * 2] = low;
          startLine[row * 2 + 1] = high;
        } else this.#texts.set(field, low, high);
      }
      nameString[row] = this.#text(2);
      systemNameString[row] = this.#text(3);
      fileString[row] = this.#text(4);
      this.#register(ids, idLow, idHigh);
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
    for (let row = 1; row < length; row++) {
      lineOffset[row] = lineFunction.length;
      this.#enter(spans, row - 1, 'location');
      let idLow = 0;
      let idHigh = 0;
      let mappingLow = 0;
      let mappingHigh = 0;
      while (reader.next()) {
        switch (reader.field) {
          case 1:
            reader.scalar();
            idLow = reader.low;
            idHigh = reader.high;
            break;
          case 2:
            reader.scalar();
            mappingLow = reader.low;
            mappingHigh = reader.high;
            break;
          case 3:
            reader.scalar();
            address[row * 2] = reader.low;
            address[row * 2 + 1] = reader.high;
            break;
          case 4: {
            const outerEnd = reader.end;
            reader.end = reader.delimited();
            this.#path.enterInner('line', lineFunction.length - (lineOffset[row] ?? 0));
            this.#line(functionIds, lineFunction, lineNumber, lineColumn);
            this.#path.leaveInner();
            reader.end = outerEnd;
            break;
          }
          case 5:
            reader.scalar();
            isFolded[row] = (reader.low | reader.high) === 0 ? 0 : 1;
            break;
          default:
            reader.skip();
        }
      }
      mapping[row] = this.#reference(mappingIds, mappingLow, mappingHigh, 2, 'mapping');
      this.#register(ids, idLow, idHigh);
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
    const reader = this.#reader;
    let functionLow = 0;
    let functionHigh = 0;
    let numberLow = 0;
    let numberHigh = 0;
    let columnLow = 0;
    let columnHigh = 0;
    while (reader.next()) {
      if (reader.field > 3) {
        reader.skip();
        continue;
      }
      reader.scalar();
      if (reader.field === 1) {
        functionLow = reader.low;
        functionHigh = reader.high;
      } else if (reader.field === 2) {
        numberLow = reader.low;
        numberHigh = reader.high;
      } else {
        columnLow = reader.low;
        columnHigh = reader.high;
      }
    }
    functions.push(this.#reference(functionIds, functionLow, functionHigh, 1, 'function'));
    numbers.push(numberLow, numberHigh);
    columns.push(columnLow, columnHigh);
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
    return this.#strings.row(this.#texts.low(field), this.#texts.high(field));
  }
}
