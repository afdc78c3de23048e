import { viewExactly } from '../byte-source.ts';
import { type ElfFile, machines, segmentTypes } from '../elf/elf-file.ts';
import { FieldReader } from './field-reader.ts';

/** What Go's runtime knows of its program (`runtime.firstmoduledata`); ELF virtual addresses. */
export interface ModuleData {
  readonly textStart: number;
  /** `go:func.*`: the base of what functions say about themselves, inlined calls among it. */
  readonly functionData: number;
}

/**
 * Words from the start of the structure: six slices after the first word, then pointers. Between 1.18 and 1.20 two pointers came in
 * (src/runtime/symtab.go; the same in 1.26).
 */
const textWord = 22;
const functionDataWord = { '1.18': 38, '1.20': 40 } as const;
/** Go puts all its data into one segment; that of Kubernetes has 20 MB. */
const mostScanned = 64 * 1024 * 1024;
const portionBytes = 64 * 1024;
const relativeRelocations: Readonly<Record<number, number>> = { [machines.x86_64]: 8, [machines.aarch64]: 1027 };
const relocationType = 4;

/**
 * Looks for the structure in the data of the program: its first two words point to the table at `tableOffset` of the file and to its names. Where the
 * dynamic linker fills the words in, they are in the relocations.
 */
export function findModuleData(
  elf: ElfFile,
  reader: FieldReader,
  tableOffset: number,
  namesAt: number,
  version: keyof typeof functionDataWord,
): ModuleData | undefined {
  const { wordBytes } = reader;
  const tableAddress = addressOf(elf, tableOffset);
  if (tableAddress === undefined) return undefined;
  const file = new FieldReader(elf.source, reader.littleEndian, wordBytes);
  const last = functionDataWord[version];
  const found = scanData(elf, wordBytes, tableAddress, namesAt);
  if (found !== undefined) {
    return { textStart: file.word(found + textWord * wordBytes), functionData: file.word(found + last * wordBytes) };
  }
  return fromRelocations(elf, tableAddress, namesAt, last);
}

function addressOf(elf: ElfFile, fileOffset: number): number | undefined {
  for (const { type, fileOffset: start, fileSize, virtualAddress } of elf.segments) {
    if (type === segmentTypes.load && fileOffset >= start && fileOffset < start + fileSize) {
      return Number(virtualAddress) + fileOffset - start;
    }
  }
  return undefined;
}

/** Offset in the file. */
function scanData(elf: ElfFile, wordBytes: 4 | 8, tableAddress: number, namesAt: number): number | undefined {
  const pattern = Buffer.alloc(2 * wordBytes);
  for (const [i, address] of [tableAddress, tableAddress + namesAt].entries())
    writeWord(pattern, i, wordBytes, elf, address);
  for (const { type, flags, fileOffset, fileSize } of elf.segments) {
    // Writable, as far as the file says.
    if (type !== segmentTypes.load || (flags & 2) === 0) continue;
    const end = fileOffset + Math.min(fileSize, mostScanned);
    for (let portion = fileOffset; portion < end; portion += portionBytes) {
      const read = elf.source.read(portion, Math.min(portionBytes + pattern.length, end - portion));
      const found = Buffer.from(read.buffer, read.byteOffset, read.length).indexOf(pattern);
      if (found >= 0 && (portion + found) % wordBytes === 0) return portion + found;
    }
  }
  return undefined;
}

function writeWord(into: Buffer, index: number, wordBytes: 4 | 8, elf: ElfFile, value: number): void {
  const view = new DataView(into.buffer, into.byteOffset, into.length);
  if (wordBytes === 8) view.setBigUint64(index * 8, BigInt(value), elf.littleEndian);
  else view.setUint32(index * 4, value, elf.littleEndian);
}

/** Of a 64-bit position-independent program: `Elf64_Rela` has place, kind and value. */
function fromRelocations(
  elf: ElfFile,
  tableAddress: number,
  namesAt: number,
  functionDataAt: number,
): ModuleData | undefined {
  const kind = relativeRelocations[elf.machine];
  if (!elf.is64Bit || kind === undefined) return undefined;
  const values = new Map<number, number>();
  const candidates: number[] = [];
  eachRelative(elf, kind, (place, value) => {
    if (value === tableAddress) candidates.push(place);
  });
  for (const start of candidates.slice(0, 4)) {
    values.clear();
    eachRelative(elf, kind, (place, value) => {
      if (place >= start && place <= start + functionDataAt * 8) values.set((place - start) / 8, value);
    });
    const [names, textStart, functionData] = [1, textWord, functionDataAt].map((word) => values.get(word));
    if (names !== tableAddress + namesAt || textStart === undefined || functionData === undefined) continue;
    return { textStart, functionData };
  }
  return undefined;
}

function eachRelative(elf: ElfFile, kind: number, visit: (place: number, value: number) => void): void {
  for (const { type, fileOffset, size } of elf.sections) {
    if (type !== relocationType) continue;
    const end = Math.min(fileOffset + Math.min(size, mostScanned), elf.source.size);
    for (let at = fileOffset; at + 24 <= end; at += 24 * 2048) {
      const length = Math.min(24 * 2048, Math.floor((end - at) / 24) * 24);
      const view = viewExactly(elf.source, at, length);
      for (let i = 0; i < length; i += 24) {
        if (view.getUint32(i + 8, elf.littleEndian) !== kind) continue;
        visit(wide(view, i, elf.littleEndian), wide(view, i + 16, elf.littleEndian));
      }
    }
  }
}

function wide(view: DataView, at: number, littleEndian: boolean): number {
  const [first, second] = [view.getUint32(at, littleEndian), view.getUint32(at + 4, littleEndian)];
  return littleEndian ? second * 2 ** 32 + first : first * 2 ** 32 + second;
}
