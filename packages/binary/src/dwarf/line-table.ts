import { BinaryFormatError } from '../binary-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { AddressMap } from './address-map.ts';
import type { CodeRanges } from './code-ranges.ts';
import { DwarfReader } from './dwarf-reader.ts';
import type { DwarfUnit } from './dwarf-unit.ts';
import type { UnitShape } from './forms.ts';
import { LineFiles } from './line-files.ts';
import { LineRows } from './line-rows.ts';
import type { ScratchBuffer } from './scratch-buffer.ts';

/** Standard opcodes (DWARF 5, 6.2.5.2). */
const opcodes = {
  extended: 0,
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  constAddPc: 8,
  fixedAdvancePc: 9,
} as const;
const extendedOpcodes = { endSequence: 1, setAddress: 2, defineFile: 3 } as const;

/** From addresses to lines, of one unit. */
export interface LineTable {
  readonly rows: AddressMap;
  /** File index and line of each item of `rows`. */
  readonly fileAndLine: Uint32Array;
  readonly files: LineFiles;
  readonly section: ByteSource;
  /** The table was damaged; rows before the damage are there. */
  readonly isDamaged: boolean;
  readonly byteLength: number;
  /** Of the table in the file, in bytes. */
  readonly size: number;
}

interface LineHeader extends UnitShape {
  readonly minInstructionLength: number;
  readonly maxOperations: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly operandCounts: readonly number[];
}

/** Runs the line program at `offset` of `.debug_line` (DWARF 5, 6.2). Throws `BinaryFormatError` where its head is damaged. */
export function readLineTable(unit: DwarfUnit, offset: number, code: CodeRanges, scratch: ScratchBuffer): LineTable {
  const section = (unit.skeleton ?? unit).sections.get('line');
  const reader = openTable(section, offset, unit.header.littleEndian, scratch);
  const files = new LineFiles(reader.version, offset);
  const { header, program } = readHeader(reader.reader, reader.is64BitFormat, reader.version, unit, files);
  const rows = new LineRows(code);
  program.position = reader.reader.position;
  let isDamaged = false;
  try {
    runProgram(program, header, rows, files);
  } catch (error) {
    if (!(error instanceof BinaryFormatError)) throw error;
    isDamaged = true;
  }
  const { starts, items, fileAndLine } = rows.finish();
  const map = new AddressMap(starts, items);
  const byteLength = map.byteLength + fileAndLine.byteLength + files.byteLength + 256;
  return { rows: map, fileAndLine, files, section, isDamaged, byteLength, size: program.end };
}

function openTable(
  section: ByteSource,
  offset: number,
  littleEndian: boolean,
  scratch: ScratchBuffer,
): { reader: DwarfReader; is64BitFormat: boolean; version: number } {
  const head = new DwarfReader(section.read(offset, 12), littleEndian);
  const first = head.u32();
  const is64BitFormat = first === 0xffffffff;
  const length = is64BitFormat ? head.offset(true) : first;
  const size = head.position + length;
  if (first >= 0xfffffff0 !== is64BitFormat || offset + size > section.size) {
    throw new BinaryFormatError('malformed', `DWARF: a line table of ${length} bytes`);
  }
  const reader = new DwarfReader(scratch.load(section, offset, size), littleEndian);
  reader.position = is64BitFormat ? 12 : 4;
  const version = reader.u16();
  if (version < 2 || version > 5) throw new BinaryFormatError('unsupported', `DWARF: line table version ${version}`);
  return { reader, is64BitFormat, version };
}

function readHeader(
  reader: DwarfReader,
  is64BitFormat: boolean,
  version: number,
  unit: DwarfUnit,
  files: LineFiles,
): { header: LineHeader; program: DwarfReader } {
  const addressSize = version >= 5 ? reader.u8() : unit.header.addressSize;
  if (version >= 5) reader.take(1);
  const headerLength = reader.offset(is64BitFormat);
  const start = reader.position + headerLength;
  if (start > reader.end) throw new BinaryFormatError('truncated', 'DWARF: head of a line table');
  const minInstructionLength = reader.u8();
  const maxOperations = Math.max(1, version >= 4 ? reader.u8() : 1);
  reader.take(1);
  const [lineBase, lineRange, opcodeBase] = [reader.i8(), reader.u8(), reader.u8()];
  const operandCounts = [0];
  for (let opcode = 1; opcode < opcodeBase; opcode++) operandCounts.push(reader.u8());
  const shape = { version, addressSize, is64BitFormat, littleEndian: reader.littleEndian };
  files.readLists(reader, shape);
  reader.position = start;
  const header = { ...shape, minInstructionLength, maxOperations, lineBase, lineRange, opcodeBase, operandCounts };
  return { header, program: reader };
}

/** Each step takes at least a byte and gives at most a row. */
function runProgram(reader: DwarfReader, header: LineHeader, rows: LineRows, files: LineFiles): void {
  const { minInstructionLength, maxOperations, lineBase, lineRange, opcodeBase } = header;
  if (lineRange === 0) throw new BinaryFormatError('malformed', 'DWARF: a line range of 0');
  let [address, operation, file, line] = [0, 0, 1, 1];
  const advance = (operations: number): void => {
    if (maxOperations === 1) {
      address += operations * minInstructionLength;
      return;
    }
    const total = operation + operations;
    address += minInstructionLength * Math.floor(total / maxOperations);
    operation = total % maxOperations;
  };
  while (!reader.isAtEnd) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      const step = adjusted % lineRange;
      advance((adjusted - step) / lineRange);
      line += lineBase + step;
      rows.push(address, file, line);
      continue;
    }
    switch (opcode) {
      case opcodes.extended: {
        const size = reader.uleb();
        const start = reader.take(size);
        const end = reader.position;
        reader.position = start;
        const extended = size === 0 ? 0 : reader.u8();
        if (extended === extendedOpcodes.endSequence) {
          rows.endSequence(address);
          [address, operation, file, line] = [0, 0, 1, 1];
        } else if (extended === extendedOpcodes.setAddress) {
          address = reader.address(size - 1);
          operation = 0;
        } else if (extended === extendedOpcodes.defineFile) files.define(reader);
        reader.position = end;
        break;
      }
      case opcodes.copy:
        rows.push(address, file, line);
        break;
      case opcodes.advancePc:
        advance(reader.uleb());
        break;
      case opcodes.advanceLine:
        line += reader.sleb();
        break;
      case opcodes.setFile:
        file = reader.uleb();
        break;
      case opcodes.constAddPc:
        advance(Math.floor((255 - opcodeBase) / lineRange));
        break;
      case opcodes.fixedAdvancePc:
        address += reader.u16();
        operation = 0;
        break;
      default:
        // Set column, statement flags, and what later versions add: as many LEB128 numbers as the head says.
        for (let i = header.operandCounts[opcode] ?? 0; i > 0; i--) reader.skipLeb();
    }
  }
}
