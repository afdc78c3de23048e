import { BinaryFormatError } from '../binary-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { unitTypes } from './dwarf-codes.ts';
import { DwarfReader } from './dwarf-reader.ts';
import type { UnitShape } from './forms.ts';
import { GrowableFloat64Array } from '../growable-array.ts';

/** The head of a unit in `.debug_info`. Offsets are of the section. */
export interface UnitHeader extends UnitShape {
  readonly offset: number;
  /** Of the first entry. */
  readonly entries: number;
  readonly end: number;
  readonly abbreviations: number;
  readonly unitType: number;
  /** Of split units of DWARF 5; before, an attribute has it. */
  readonly dwoId: bigint | undefined;
}

/** The largest head: 64-bit format, DWARF 5, type unit. */
const largestHeader = 12 + 2 + 1 + 1 + 8 + 8 + 8;

/** Throws `BinaryFormatError`. */
export function readUnitHeader(section: ByteSource, offset: number, littleEndian: boolean): UnitHeader {
  const reader = new DwarfReader(section.read(offset, largestHeader), littleEndian);
  const { size, is64BitFormat } = readLength(reader);
  const end = offset + reader.position + size;
  if (end > section.size) throw new BinaryFormatError('truncated', `DWARF: a unit of ${size} bytes at ${offset}`);
  const version = reader.u16();
  if (version < 2 || version > 5) throw new BinaryFormatError('unsupported', `DWARF version ${version}`);
  const unitType = version >= 5 ? reader.u8() : unitTypes.compile;
  let addressSize = version >= 5 ? reader.u8() : 0;
  const abbreviations = reader.offset(is64BitFormat);
  if (version < 5) addressSize = reader.u8();
  if (addressSize !== 4 && addressSize !== 8 && addressSize !== 2 && addressSize !== 1) {
    throw new BinaryFormatError('unsupported', `DWARF: addresses of ${addressSize} bytes`);
  }
  let dwoId: bigint | undefined;
  if (unitType === unitTypes.skeleton || unitType === unitTypes.splitCompile) dwoId = reader.u64();
  if (unitType === unitTypes.type || unitType === unitTypes.splitType) {
    reader.take(8);
    reader.offset(is64BitFormat);
  }
  const entries = offset + reader.position;
  if (entries > end) throw new BinaryFormatError('malformed', `DWARF: unit at ${offset} ends in its head`);
  const shape = { version, addressSize, is64BitFormat, littleEndian };
  return { ...shape, offset, entries, end, abbreviations, unitType, dwoId };
}

function readLength(reader: DwarfReader): { size: number; is64BitFormat: boolean } {
  const first = reader.u32();
  if (first === 0xffffffff) return { size: reader.offset(true), is64BitFormat: true };
  if (first >= 0xfffffff0) throw new BinaryFormatError('malformed', `DWARF: length ${first}`);
  return { size: first, is64BitFormat: false };
}

/** The largest browsers have 60,000; dwz makes more of smaller ones. Each costs some microseconds when a file is opened. */
const mostUnits = 262_144;
/** Words of zeros between the parts that a linker put together. */
const mostPadding = 65_536;

/** Where each unit of a section starts, ascending, up to the first whose length cannot be. */
export function readUnitOffsets(section: ByteSource, littleEndian: boolean): Float64Array {
  const offsets = new GrowableFloat64Array(64);
  let padding = 0;
  for (let offset = 0; offset + 4 <= section.size && offsets.length < mostUnits;) {
    const reader = new DwarfReader(section.read(offset, 12), littleEndian);
    const first = reader.u32();
    const isWide = first === 0xffffffff && reader.end >= 12;
    const size = isWide ? reader.i64() : first;
    const end = offset + (isWide ? 12 : 4) + size;
    if (!(size > 0 && end <= section.size)) {
      if (size !== 0 || ++padding > mostPadding) break;
      offset += 4;
      continue;
    }
    offsets.push(offset);
    offset = end;
  }
  return offsets.view().slice();
}
