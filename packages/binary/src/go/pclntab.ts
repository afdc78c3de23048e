import { BinaryFormatError } from '../binary-error.ts';
import { fileOffsetOfVirtualAddress } from '../elf/elf-addresses.ts';
import { readBuildIds } from '../elf/elf-build-id.ts';
import { type ElfFile, sectionTypes, segmentTypes } from '../elf/elf-file.ts';
import { RangeSource } from '../range-source.ts';
import { FieldReader } from './field-reader.ts';
import { findModuleData } from './module-data.ts';

/** Go's linker changed the layout with these versions. */
export type PclntabVersion = '1.2' | '1.16' | '1.18' | '1.20';

/** Go's table of functions, files and lines. Offsets are in `reader`'s source, addresses ELF virtual. */
export interface Pclntab {
  readonly reader: FieldReader;
  readonly version: PclntabVersion;
  /** Smallest instruction: 1 on x86, 4 on ARM. */
  readonly quantum: number;
  readonly functionCount: number;
  /** What entries of functions are relative to; 0 up to 1.16. */
  readonly textStart: number;
  readonly namesAt: number;
  /** From 1.16 on: file numbers of a compilation unit → offsets in `filesAt`. */
  readonly unitsAt: number;
  readonly filesAt: number;
  /** Lists of values. */
  readonly listsAt: number;
  /** `functionCount` pairs of (entry, offset from here), then the end of the last function. */
  readonly functionsAt: number;
  /** Where the lists of inlined calls are, as a file offset; undefined where it cannot be found. */
  readonly inlinesAt: number | undefined;
}

const magics: readonly (readonly [magic: number, version: PclntabVersion])[] = [
  [0xfffffff1, '1.20'],
  [0xfffffff0, '1.18'],
  [0xfffffffa, '1.16'],
  [0xfffffffb, '1.2'],
];
const sectionNames = new Set(['.gopclntab', '.data.rel.ro.gopclntab', '.data.rel.ro']);
/** Kubernetes' kubelet has 200,000. */
const mostFunctions = 4 * 1024 * 1024;
/** Of a file without sections that is looked through. */
const mostScanned = 256 * 1024 * 1024;
const scanPortion = 256 * 1024;

/**
 * Finds the table (golang.org/s/go12symtab, later src/debug/gosym/pclntab.go and src/runtime/symtab.go) by its section, else by its first bytes.
 * Undefined for programs that are not Go's. Throws BinaryFormatError for a table that is damaged.
 */
export function findPclntab(elf: ElfFile): Pclntab | undefined {
  const isGo = readBuildIds(elf).go !== '';
  for (const { name, type, fileOffset, size } of elf.sections) {
    if (type === sectionTypes.nobits || !sectionNames.has(name)) continue;
    const isOwn = name !== '.data.rel.ro';
    if (!isOwn && !isGo) continue;
    const at = isOwn ? fileOffset : scan(elf, fileOffset, size);
    const table = at === undefined ? undefined : readTable(elf, at, fileOffset + size - at);
    if (table !== undefined) return table;
  }
  // Others are not looked through: it would cost a read of the whole file.
  if (elf.sections.length > 0 && !isGo) return undefined;
  for (const { type, fileOffset, fileSize } of elf.segments) {
    if (type !== segmentTypes.load) continue;
    const at = scan(elf, fileOffset, fileSize);
    const table = at === undefined ? undefined : readTable(elf, at, fileOffset + fileSize - at);
    if (table !== undefined) return table;
  }
  return undefined;
}

/** The offset of the first thing that looks like the head of a table; tables are aligned to 32 bytes. */
function scan(elf: ElfFile, from: number, size: number): number | undefined {
  const end = from + Math.min(size, mostScanned);
  // The magic's three bytes ff stand at one end of its four.
  const mark = Buffer.from(elf.littleEndian ? [0xff, 0xff, 0xff, 0, 0] : [0xff, 0xff, 0xff]);
  for (let portion = from; portion < end; portion += scanPortion) {
    const read = elf.source.read(portion, Math.min(scanPortion + 16, end - portion));
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.length);
    for (let found = bytes.indexOf(mark); found >= 0; found = bytes.indexOf(mark, found + 1)) {
      const at = portion + found - (elf.littleEndian ? 1 : 0);
      if (at < from || at % 8 !== 0 || headOf(elf, at) === undefined) continue;
      return at;
    }
  }
  return undefined;
}

interface Head {
  readonly version: PclntabVersion;
  readonly quantum: number;
  readonly wordBytes: 4 | 8;
}

function headOf(elf: ElfFile, at: number): Head | undefined {
  const bytes = elf.source.read(at, 8);
  if (bytes.length < 8 || bytes[4] !== 0 || bytes[5] !== 0) return undefined;
  const magic = new DataView(bytes.buffer, bytes.byteOffset, 8).getUint32(0, elf.littleEndian);
  const version = magics.find(([known]) => known === magic)?.[1];
  const [quantum, wordBytes] = [bytes[6] ?? 0, bytes[7]];
  if (version === undefined || (quantum !== 1 && quantum !== 2 && quantum !== 4)) return undefined;
  if (wordBytes !== 4 && wordBytes !== 8) return undefined;
  return { version, quantum, wordBytes };
}

function readTable(elf: ElfFile, fileOffset: number, size: number): Pclntab | undefined {
  const head = headOf(elf, fileOffset);
  if (head === undefined) return undefined;
  const { version, quantum, wordBytes } = head;
  const reader = new FieldReader(new RangeSource(elf.source, fileOffset, size), elf.littleEndian, wordBytes);
  const field = (index: number): number => reader.word(8 + index * wordBytes);
  const functionCount = field(0);
  if (functionCount === 0 || functionCount > mostFunctions) {
    throw new BinaryFormatError('malformed', `${functionCount} functions of Go`);
  }
  const common = { reader, version, quantum, functionCount };
  if (version === '1.2') {
    const functionsAt = 8 + wordBytes;
    const filesAt = reader.u32(functionsAt + (functionCount * 2 + 1) * wordBytes);
    const places = { namesAt: 0, unitsAt: 0, filesAt, listsAt: 0, functionsAt };
    return { ...common, ...places, textStart: 0, inlinesAt: undefined };
  }
  // From 1.18 on one field more, where the text starts.
  const first = version === '1.16' ? 2 : 3;
  const [namesAt = 0, unitsAt = 0, filesAt = 0, listsAt = 0, functionsAt = 0] = [0, 1, 2, 3, 4].map((i) =>
    field(first + i),
  );
  const places = { namesAt, unitsAt, filesAt, listsAt, functionsAt };
  if (version === '1.16') return { ...common, ...places, textStart: 0, inlinesAt: undefined };
  const module = findModuleData(elf, reader, fileOffset, namesAt, version);
  // Empty since 1.26, and where the dynamic linker would fill it in.
  const textStart = field(2) || (module?.textStart ?? textOf(elf));
  if (textStart === 0) throw new BinaryFormatError('unsupported', 'the start of Go code cannot be told');
  const inlinesAt =
    module === undefined ? undefined : fileOffsetOfVirtualAddress(elf, BigInt(Math.trunc(module.functionData)));
  return { ...common, ...places, textStart, inlinesAt: inlinesAt === undefined ? undefined : Number(inlinesAt) };
}

/** True where nothing but Go's code is in the section. */
function textOf(elf: ElfFile): number {
  if (elf.sections.some(({ name }) => name === '.eh_frame')) return 0;
  return Number(elf.sections.find(({ name }) => name === '.text')?.virtualAddress ?? 0n);
}
