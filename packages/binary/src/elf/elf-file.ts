import { asResult, BinaryFormatError, type BinaryResult } from '../binary-error.ts';
import { type ByteSource, readExactly, viewExactly } from '../byte-source.ts';

/** Program header. File quantities in bytes, `virtualAddress` in the space of the ELF file. */
export interface ElfSegment {
  readonly type: number;
  readonly flags: number;
  readonly fileOffset: number;
  readonly virtualAddress: bigint;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

/** Section header; `index` is the number by which symbols refer to it. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly virtualAddress: bigint;
  readonly fileOffset: number;
  readonly size: number;
  readonly link: number;
  readonly entrySize: number;
}

/** The headers of an ELF file of either class and byte order, and the source that its contents are read from. */
export interface ElfFile {
  readonly source: ByteSource;
  readonly is64Bit: boolean;
  readonly littleEndian: boolean;
  /** `e_type`: 2 executable at fixed addresses, 3 shared object or PIE. */
  readonly type: number;
  /** `e_machine`: 62 x86-64, 183 AArch64, 3 i386, 40 ARM. */
  readonly machine: number;
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  /** Empty where the file has none or its table is damaged: the loader does not need them, so neither do we. */
  readonly sections: readonly ElfSection[];
}

export const segmentTypes = { load: 1, dynamic: 2, note: 4, threads: 7 } as const;
export const segmentFlags = { execute: 1 } as const;
export const sectionTypes = { symtab: 2, strtab: 3, rela: 4, note: 7, nobits: 8, dynsym: 11 } as const;
export const sectionFlags = { execute: 4, compressed: 0x800 } as const;
export const machines = { i386: 3, arm: 40, x86_64: 62, aarch64: 183 } as const;

/** Linkers write tens; the kernel refuses a program header table of more than one page of 64 KiB. */
const mostSegments = 1170;
/** The limit of a plain `e_shnum`; linked files have tens. */
const mostSections = 65_536;

/**
 * Reads the headers (System V ABI, "Object Files"). Errors: `not_elf`, `truncated`, `malformed`, `io`. The contents of sections are
 * not checked here: whoever reads one does.
 */
export function readElfFile(source: ByteSource): BinaryResult<ElfFile> {
  return asResult(() => readHeaders(source));
}

/** A 64-bit field as a number; beyond 2^53 no file has an offset or a size. */
export function readSize(view: DataView, at: number, littleEndian: boolean, is64Bit: boolean): number {
  if (!is64Bit) return view.getUint32(at, littleEndian);
  const value = view.getBigUint64(at, littleEndian);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BinaryFormatError('malformed', `a size of ${value} bytes`);
  return Number(value);
}

/** An address field of the file's class. */
export function readAddress(view: DataView, at: number, littleEndian: boolean, is64Bit: boolean): bigint {
  return is64Bit ? view.getBigUint64(at, littleEndian) : BigInt(view.getUint32(at, littleEndian));
}

function readHeaders(source: ByteSource): ElfFile {
  if (source.size < 52) throw new BinaryFormatError('not_elf', `${source.size} bytes`);
  const ident = readExactly(source, 0, 16);
  if (ident[0] !== 0x7f || ident[1] !== 0x45 || ident[2] !== 0x4c || ident[3] !== 0x46) {
    throw new BinaryFormatError('not_elf', 'no ELF magic');
  }
  const [elfClass, encoding] = [ident[4], ident[5]];
  if ((elfClass !== 1 && elfClass !== 2) || (encoding !== 1 && encoding !== 2)) {
    throw new BinaryFormatError('malformed', `class ${elfClass}, encoding ${encoding}`);
  }
  const is64Bit = elfClass === 2;
  const littleEndian = encoding === 1;
  const header = viewExactly(source, 0, is64Bit ? 64 : 52);
  const u16 = (at: number): number => header.getUint16(at, littleEndian);
  const type = u16(16);
  const machine = u16(18);
  const entry = readAddress(header, 24, littleEndian, is64Bit);
  const segmentsAt = readSize(header, is64Bit ? 32 : 28, littleEndian, is64Bit);
  const sectionsAt = is64Bit ? header.getBigUint64(40, littleEndian) : BigInt(header.getUint32(32, littleEndian));
  const counts = is64Bit ? 54 : 42;
  const [segmentSize, segmentCount] = [u16(counts), u16(counts + 2)];
  const [sectionSize, sectionCount, namesIndex] = [u16(counts + 4), u16(counts + 6), u16(counts + 8)];
  const file = { source, is64Bit, littleEndian, type, machine, entry };
  const sections = asResult(() => readSections(file, Number(sectionsAt), sectionSize, sectionCount, namesIndex));
  return {
    ...file,
    segments: readSegments(file, segmentsAt, segmentSize, segmentCount),
    sections: sections.ok ? sections.value : [],
  };
}

type Layout = Pick<ElfFile, 'source' | 'is64Bit' | 'littleEndian'>;

function readSegments(file: Layout, tableAt: number, entrySize: number, count: number): ElfSegment[] {
  const { source, is64Bit, littleEndian } = file;
  if (count === 0 || tableAt === 0) return [];
  if (count > mostSegments || entrySize < (is64Bit ? 56 : 32)) {
    throw new BinaryFormatError('malformed', `${count} program headers of ${entrySize} bytes`);
  }
  const view = viewExactly(source, tableAt, count * entrySize);
  const segments: ElfSegment[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * entrySize;
    const size = (offset64: number, offset32: number): number =>
      readSize(view, at + (is64Bit ? offset64 : offset32), littleEndian, is64Bit);
    segments.push({
      type: view.getUint32(at, littleEndian),
      flags: view.getUint32(at + (is64Bit ? 4 : 24), littleEndian),
      fileOffset: size(8, 4),
      virtualAddress: readAddress(view, at + (is64Bit ? 16 : 8), littleEndian, is64Bit),
      fileSize: size(32, 16),
      memorySize: size(40, 20),
      align: size(48, 28),
    });
  }
  return segments;
}

function readSections(
  file: Layout,
  tableAt: number,
  entrySize: number,
  plainCount: number,
  plainNamesIndex: number,
): ElfSection[] {
  const { source, is64Bit, littleEndian } = file;
  if (tableAt === 0) return [];
  const smallest = is64Bit ? 64 : 40;
  if (entrySize < smallest) throw new BinaryFormatError('malformed', `section headers of ${entrySize} bytes`);
  const first = viewExactly(source, tableAt, smallest);
  // Files of 65,280 sections and more keep their counts in the first header.
  const count = plainCount === 0 ? readSize(first, is64Bit ? 32 : 20, littleEndian, is64Bit) : plainCount;
  const namesIndex = plainNamesIndex === 0xffff ? first.getUint32(is64Bit ? 40 : 24, littleEndian) : plainNamesIndex;
  if (count > mostSections) throw new BinaryFormatError('too_large', `${count} sections`);
  const table = readExactly(source, tableAt, count * entrySize).slice();
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  const nameOffsets: number[] = [];
  const sections: ElfSection[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * entrySize;
    const size = (offset64: number, offset32: number): number =>
      readSize(view, at + (is64Bit ? offset64 : offset32), littleEndian, is64Bit);
    nameOffsets.push(view.getUint32(at, littleEndian));
    sections.push({
      index: i,
      name: '',
      type: view.getUint32(at + 4, littleEndian),
      flags: size(8, 8) % 2 ** 32,
      virtualAddress: readAddress(view, at + (is64Bit ? 16 : 12), littleEndian, is64Bit),
      fileOffset: size(24, 16),
      size: size(32, 20),
      link: view.getUint32(at + (is64Bit ? 40 : 24), littleEndian),
      entrySize: size(56, 36),
    });
  }
  const names = sections[namesIndex];
  if (names === undefined) return sections;
  return sections.map((section, i) => ({ ...section, name: sectionName(source, names, nameOffsets[i] ?? 0) }));
}

function sectionName(source: ByteSource, names: ElfSection, offset: number): string {
  if (offset >= names.size) return '';
  const bytes = source.read(names.fileOffset + offset, Math.min(128, names.size - offset));
  const nul = bytes.indexOf(0);
  return Buffer.from(nul < 0 ? bytes : bytes.subarray(0, nul)).toString('latin1');
}
