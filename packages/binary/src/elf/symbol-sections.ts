import { asResult, BinaryFormatError } from '../binary-error.ts';
import { type ByteSource, viewExactly } from '../byte-source.ts';
import { fileOffsetOfVirtualAddress } from './elf-addresses.ts';
import { type ElfFile, readAddress, sectionTypes, segmentTypes } from './elf-file.ts';
import { RangeSource } from '../range-source.ts';
import { openSection } from './section-source.ts';

/** A symbol table and its strings. */
export interface SymbolSection {
  readonly symbols: ByteSource;
  /** Of symbols. */
  readonly count: number;
  readonly entrySize: number;
  readonly strings: ByteSource;
}

/** Files have one or two. */
const mostSections = 4;
/** Ten times what a debug build of Chromium has; what follows is not read. */
const mostSymbols = 16_000_000;
/** Of a hash table for that many symbols. */
const mostBuckets = 16_000_000;

const dynamicTags = {
  hash: 4n,
  strings: 5n,
  symbols: 6n,
  stringsSize: 10n,
  gnuHash: 0x6fff_fef5n,
} as const;

/**
 * The symbol tables of a file: `.symtab` and `.dynsym`, or without sections the table that the dynamic linker uses. What leaves the file
 * or cannot be inflated (eu-elfcompress compresses symbols, too) is left out.
 */
export function findSymbolSections(elf: ElfFile): SymbolSection[] {
  const smallest = elf.is64Bit ? 24 : 16;
  const found: SymbolSection[] = [];
  for (const section of elf.sections) {
    if (section.type !== sectionTypes.symtab && section.type !== sectionTypes.dynsym) continue;
    const strings = elf.sections[section.link];
    if (strings?.type !== sectionTypes.strtab) continue;
    const entrySize = section.entrySize === 0 ? smallest : section.entrySize;
    if (entrySize < smallest || entrySize > 256) continue;
    const opened = asResult(() => ({ symbols: openSection(elf, section), strings: openSection(elf, strings) }));
    if (!opened.ok) continue;
    const count = Math.min(mostSymbols, Math.floor(opened.value.symbols.size / entrySize));
    if (count === 0 || opened.value.strings.size === 0) continue;
    if (found.length === mostSections) break;
    found.push({ ...opened.value, count, entrySize });
  }
  if (found.length > 0) return found;
  const dynamic = asResult(() => dynamicSymbols(elf, smallest));
  return dynamic.ok && dynamic.value !== undefined ? [dynamic.value] : [];
}

function dynamicSymbols(elf: ElfFile, entrySize: number): SymbolSection | undefined {
  const segment = elf.segments.find(({ type }) => type === segmentTypes.dynamic);
  if (segment === undefined) return undefined;
  const word = elf.is64Bit ? 8 : 4;
  // 4,096 entries are a hundred times more than any linker writes.
  const length = Math.min(segment.fileSize - (segment.fileSize % (2 * word)), 4096 * 2 * word);
  const view = viewExactly(elf.source, segment.fileOffset, length);
  const values = new Map<bigint, bigint>();
  for (let at = 0; at < length; at += 2 * word) {
    const tag = readAddress(view, at, elf.littleEndian, elf.is64Bit);
    if (tag === 0n) break;
    values.set(tag, readAddress(view, at + word, elf.littleEndian, elf.is64Bit));
  }
  const offsetOf = (tag: bigint): number | undefined => {
    const address = values.get(tag);
    const offset = address === undefined ? undefined : fileOffsetOfVirtualAddress(elf, address);
    return offset === undefined ? undefined : Number(offset);
  };
  const fileOffset = offsetOf(dynamicTags.symbols);
  const stringsOffset = offsetOf(dynamicTags.strings);
  const stringsSize = Number(values.get(dynamicTags.stringsSize) ?? 0n);
  if (fileOffset === undefined || stringsOffset === undefined) return undefined;
  const gnuHash = offsetOf(dynamicTags.gnuHash);
  const hash = offsetOf(dynamicTags.hash);
  let count = 0;
  if (gnuHash !== undefined) count = countByGnuHash(elf, gnuHash);
  else if (hash !== undefined) count = viewExactly(elf.source, hash, 8).getUint32(4, elf.littleEndian);
  else if (stringsOffset > fileOffset) count = Math.floor((stringsOffset - fileOffset) / entrySize);
  count = Math.min(count, mostSymbols, Math.floor((elf.source.size - fileOffset) / entrySize));
  if (count <= 0 || stringsSize <= 0) return undefined;
  return {
    symbols: new RangeSource(elf.source, fileOffset, count * entrySize),
    count,
    entrySize,
    strings: new RangeSource(elf.source, stringsOffset, stringsSize),
  };
}

/** The number of symbols is not written anywhere: it is the end of the chain of the highest bucket. */
function countByGnuHash(elf: ElfFile, tableAt: number): number {
  const header = viewExactly(elf.source, tableAt, 16);
  const buckets = header.getUint32(0, elf.littleEndian);
  if (buckets > mostBuckets) throw new BinaryFormatError('too_large', `${buckets} hash buckets`);
  const firstHashed = header.getUint32(4, elf.littleEndian);
  const bloomWords = header.getUint32(8, elf.littleEndian);
  const bucketsAt = tableAt + 16 + bloomWords * (elf.is64Bit ? 8 : 4);
  let highest = 0;
  for (let i = 0; i < buckets; i++) {
    highest = Math.max(highest, viewExactly(elf.source, bucketsAt + 4 * i, 4).getUint32(0, elf.littleEndian));
  }
  if (highest < firstHashed) return firstHashed;
  const chainsAt = bucketsAt + 4 * buckets;
  for (let symbol = highest; ; symbol++) {
    const link = viewExactly(elf.source, chainsAt + 4 * (symbol - firstHashed), 4).getUint32(0, elf.littleEndian);
    if ((link & 1) === 1) return symbol + 1;
  }
}
