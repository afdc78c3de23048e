import type { Profile, ValueType } from '../profile.ts';
import { halvesOf } from '../tables/growable.ts';
import { fieldSize, varintSize, WireWriter } from '../wire/wire-writer.ts';

/**
 * Writes a profile as one uncompressed pprof message. Deterministic: equal profiles give equal bytes. Ids are rows; repeated
 * numbers are packed. The profile must be valid (`checkValid`).
 */
export function encodeProfile(profile: Profile): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(4096 + profile.samples.length * 24 + profile.locations.length * 24);
  // Never full, it comes to its end at once.
  writeProfile(writer, profile, Number.POSITIVE_INFINITY).next();
  return writer.take();
}

/** The same message in parts of about `partBytes`, so that a large one is never there as a whole. The profile must not be given back before the last. */
export function* profileParts(profile: Profile, partBytes: number): Generator<Uint8Array<ArrayBuffer>, void> {
  const writer = new WireWriter(partBytes + (partBytes >> 3));
  const writing = writeProfile(writer, profile, partBytes);
  while (writing.next().done !== true) yield writer.takePart();
  if (writer.length > 0) yield writer.takePart();
}

/** Yields whenever the writer has `full` bytes. */
function* writeProfile(writer: WireWriter, profile: Profile, full: number): Generator<undefined, void> {
  const strings = new HeaderStrings(profile);
  for (const type of profile.sampleTypes) writeValueType(writer, 1, type, strings);
  yield* writeSamples(writer, profile, full);
  writeMappings(writer, profile);
  yield* writeLocations(writer, profile, full);
  writeFunctions(writer, profile);
  for (const text of profile.strings) {
    writer.string(6, text);
    if (writer.length >= full) yield;
  }
  for (const text of strings.added) writer.string(6, text);
  writer.field32(7, strings.index(profile.dropFrames));
  writer.field32(8, strings.index(profile.keepFrames));
  writeInt64(writer, 9, profile.timeNanos);
  writeInt64(writer, 10, profile.durationNanos);
  if (profile.periodType.type !== '' || profile.periodType.unit !== '') {
    writeValueType(writer, 11, profile.periodType, strings);
  }
  writeInt64(writer, 12, profile.period);
  if (profile.comments.length > 0) {
    const indexes = profile.comments.map((comment) => strings.index(comment));
    writer.begin(
      13,
      indexes.reduce((sum, index) => sum + varintSize(index, 0), 0),
    );
    for (const index of indexes) writer.varint32(index);
  }
  writer.field32(14, strings.index(profile.defaultSampleType));
  writer.field32(15, strings.index(profile.docUrl));
}

/** Indexes of the strings that the model holds as text; those not in the table go behind it. */
class HeaderStrings {
  readonly added: string[] = [];
  readonly #indexes = new Map<string, number>();

  constructor(profile: Profile) {
    const wanted = new Set([
      profile.defaultSampleType,
      profile.dropFrames,
      profile.keepFrames,
      profile.docUrl,
      profile.periodType.type,
      profile.periodType.unit,
      ...profile.comments,
      ...profile.sampleTypes.flatMap(({ type, unit }) => [type, unit]),
    ]);
    for (const [index, text] of profile.strings.entries()) {
      if (wanted.delete(text)) this.#indexes.set(text, index);
    }
    for (const text of wanted) {
      this.#indexes.set(text, profile.strings.length + this.added.length);
      this.added.push(text);
    }
  }

  index(text: string): number {
    return this.#indexes.get(text) ?? 0;
  }
}

function writeInt64(writer: WireWriter, field: number, value: bigint): void {
  const unsigned = BigInt.asUintN(64, value);
  writer.field64(field, Number(unsigned & 0xffff_ffffn), Number(unsigned >> 32n));
}

function writeValueType(writer: WireWriter, field: number, valueType: ValueType, strings: HeaderStrings): void {
  const type = strings.index(valueType.type);
  const unit = strings.index(valueType.unit);
  writer.begin(field, fieldSize(type, 0) + fieldSize(unit, 0));
  writer.field32(1, type);
  writer.field32(2, unit);
}

function* writeSamples(writer: WireWriter, profile: Profile, full: number): Generator<undefined, void> {
  const { samples, stacks, labelSets } = profile;
  const typeCount = profile.sampleTypes.length;
  const values = halvesOf(samples.values);
  const numbers = halvesOf(labelSets.number);
  const labelSize = (label: number): number =>
    fieldSize(labelSets.keyString[label] ?? 0, 0) +
    fieldSize(labelSets.textString[label] ?? 0, 0) +
    fieldSize(numbers[label * 2] ?? 0, numbers[label * 2 + 1] ?? 0) +
    fieldSize(labelSets.unitString[label] ?? 0, 0);
  for (let i = 0; i < samples.length; i++) {
    const leaf = samples.stack[i] ?? 0;
    let stackBytes = 0;
    for (let s = leaf; s !== 0; s = stacks.parent[s] ?? 0) stackBytes += varintSize(stacks.location[s] ?? 0, 0);
    let valueBytes = 0;
    for (let t = i * typeCount; t < (i + 1) * typeCount; t++) {
      valueBytes += varintSize(values[t * 2] ?? 0, values[t * 2 + 1] ?? 0);
    }
    const set = samples.labelSet[i] ?? 0;
    const firstLabel = labelSets.offset[set] ?? 0;
    const endLabel = labelSets.offset[set + 1] ?? 0;
    let labelBytes = 0;
    for (let label = firstLabel; label < endLabel; label++) {
      const size = labelSize(label);
      labelBytes += 1 + varintSize(size, 0) + size;
    }
    writer.begin(
      2,
      (stackBytes === 0 ? 0 : 1 + varintSize(stackBytes, 0) + stackBytes) +
        (1 + varintSize(valueBytes, 0) + valueBytes) +
        labelBytes,
    );
    if (stackBytes > 0) {
      writer.begin(1, stackBytes);
      for (let s = leaf; s !== 0; s = stacks.parent[s] ?? 0) writer.varint32(stacks.location[s] ?? 0);
    }
    writer.begin(2, valueBytes);
    for (let t = i * typeCount; t < (i + 1) * typeCount; t++) {
      writer.varint64(values[t * 2] ?? 0, values[t * 2 + 1] ?? 0);
    }
    for (let label = firstLabel; label < endLabel; label++) {
      writer.begin(3, labelSize(label));
      writer.field32(1, labelSets.keyString[label] ?? 0);
      writer.field32(2, labelSets.textString[label] ?? 0);
      writer.field64(3, numbers[label * 2] ?? 0, numbers[label * 2 + 1] ?? 0);
      writer.field32(4, labelSets.unitString[label] ?? 0);
    }
    if (writer.length >= full) yield;
  }
}

function writeMappings(writer: WireWriter, profile: Profile): void {
  const { mappings } = profile;
  const columns = [halvesOf(mappings.memoryStart), halvesOf(mappings.memoryLimit), halvesOf(mappings.fileOffset)];
  for (let row = 1; row < mappings.length; row++) {
    const file = mappings.fileString[row] ?? 0;
    const buildId = mappings.buildIdString[row] ?? 0;
    const flags = mappings.flags[row] ?? 0;
    const flagFields = [7, 8, 9, 10].filter((field) => (flags & (1 << (field - 7))) !== 0);
    const numberBytes = columns.reduce(
      (sum, halves) => sum + fieldSize(halves[row * 2] ?? 0, halves[row * 2 + 1] ?? 0),
      0,
    );
    writer.begin(
      3,
      fieldSize(row, 0) + numberBytes + fieldSize(file, 0) + fieldSize(buildId, 0) + flagFields.length * 2,
    );
    writer.field32(1, row);
    for (const [i, halves] of columns.entries()) {
      writer.field64(i + 2, halves[row * 2] ?? 0, halves[row * 2 + 1] ?? 0);
    }
    writer.field32(5, file);
    writer.field32(6, buildId);
    for (const field of flagFields) writer.field32(field, 1);
  }
}

function* writeLocations(writer: WireWriter, profile: Profile, full: number): Generator<undefined, void> {
  const { locations } = profile;
  const addresses = halvesOf(locations.address);
  const numbers = halvesOf(locations.lineNumber);
  const columns = halvesOf(locations.lineColumn);
  const lineSize = (line: number): number =>
    fieldSize(locations.lineFunction[line] ?? 0, 0) +
    fieldSize(numbers[line * 2] ?? 0, numbers[line * 2 + 1] ?? 0) +
    fieldSize(columns[line * 2] ?? 0, columns[line * 2 + 1] ?? 0);
  for (let row = 1; row < locations.length; row++) {
    const mapping = locations.mapping[row] ?? 0;
    const low = addresses[row * 2] ?? 0;
    const high = addresses[row * 2 + 1] ?? 0;
    const folded = locations.isFolded[row] ?? 0;
    const firstLine = locations.lineOffset[row] ?? 0;
    const endLine = locations.lineOffset[row + 1] ?? 0;
    let size = fieldSize(row, 0) + fieldSize(mapping, 0) + fieldSize(low, high) + fieldSize(folded, 0);
    for (let line = firstLine; line < endLine; line++) size += 1 + varintSize(lineSize(line), 0) + lineSize(line);
    writer.begin(4, size);
    writer.field32(1, row);
    writer.field32(2, mapping);
    writer.field64(3, low, high);
    for (let line = firstLine; line < endLine; line++) {
      writer.begin(4, lineSize(line));
      writer.field32(1, locations.lineFunction[line] ?? 0);
      writer.field64(2, numbers[line * 2] ?? 0, numbers[line * 2 + 1] ?? 0);
      writer.field64(3, columns[line * 2] ?? 0, columns[line * 2 + 1] ?? 0);
    }
    writer.field32(5, folded);
    if (writer.length >= full) yield;
  }
}

function writeFunctions(writer: WireWriter, profile: Profile): void {
  const { functions } = profile;
  const startLines = halvesOf(functions.startLine);
  for (let row = 1; row < functions.length; row++) {
    const name = functions.nameString[row] ?? 0;
    const systemName = functions.systemNameString[row] ?? 0;
    const file = functions.fileString[row] ?? 0;
    const low = startLines[row * 2] ?? 0;
    const high = startLines[row * 2 + 1] ?? 0;
    writer.begin(
      5,
      fieldSize(row, 0) + fieldSize(name, 0) + fieldSize(systemName, 0) + fieldSize(file, 0) + fieldSize(low, high),
    );
    writer.field32(1, row);
    writer.field32(2, name);
    writer.field32(3, systemName);
    writer.field32(4, file);
    writer.field64(5, low, high);
  }
}
