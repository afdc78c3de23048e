import { BinaryFormatError } from '../binary-error.ts';
import { type ByteSource, readExactly } from '../byte-source.ts';
import { GrowableFloat64Array, GrowableUint32Array } from '../growable-array.ts';
import { type ElfFile, machines, sectionFlags, segmentFlags, segmentTypes } from './elf-file.ts';
import { placeOfName, StringTables } from './string-tables.ts';
import { findSymbolSections, type SymbolSection } from './symbol-sections.ts';

/** Symbols that name code, as parallel columns, in the order of the file. */
export interface FunctionSymbols {
  /** ELF virtual address that `starts` and `limits` are relative to: the lowest loadable one. */
  readonly base: bigint;
  readonly starts: Float64Array<ArrayBuffer>;
  /** Bytes; 0 where the symbol has none. */
  readonly sizes: Float64Array<ArrayBuffer>;
  /** End of the section (or segment) that holds the symbol. */
  readonly limits: Float64Array<ArrayBuffer>;
  /** Higher is the better name: sized, then function without size, then global, local, weak, then function over untyped. */
  readonly ranks: Uint32Array<ArrayBuffer>;
  /** As `placeOfName` makes them. */
  readonly namePlaces: Float64Array<ArrayBuffer>;
  readonly strings: StringTables;
}

/** A debug build of Chromium has 1.5 million; what goes beyond costs more memory (40 B each while it is read) than it is worth. */
const mostFunctions = 2_000_000;
/** Small beside a page of the file, so that few reads go over the end of one and need memory of their own. */
const bytesPerRead = 8 * 1024;
const symbolTypes = { none: 0, function: 2, indirectFunction: 10 } as const;
/** Undefined, and the reserved numbers (absolute, common, …) but for 0xffff, which says that the number is elsewhere. */
const isNoSection = (index: number): boolean => index === 0 || (index >= 0xff00 && index < 0xffff);
/** STB_LOCAL 0, STB_GLOBAL 1, STB_WEAK 2, STB_GNU_UNIQUE 10. */
const bindingRank = (binding: number): number => (binding === 2 ? 0 : binding === 0 ? 1 : 2);

const sizedRank = 16;
const typedRank = 8;
const rankOf = (isSized: boolean, isFunction: boolean, binding: number): number =>
  (isSized ? sizedRank : isFunction ? typedRank : 0) + binding * 2 + (isFunction ? 1 : 0);

/** Whether the symbol has neither type nor size: a label in assembly, maybe a function. */
export function isLabel(rank: number): boolean {
  return rank < typedRank;
}

interface Columns {
  readonly base: bigint;
  readonly starts: GrowableFloat64Array;
  readonly sizes: GrowableFloat64Array;
  readonly limits: GrowableFloat64Array;
  readonly ranks: GrowableUint32Array;
  readonly namePlaces: GrowableFloat64Array;
}

/** Reads all symbol tables of a file, and of others that describe the same program, in pieces. Throws BinaryFormatError. */
export function collectFunctionSymbols(elf: ElfFile, others: readonly ElfFile[]): FunctionSymbols {
  const columns: Columns = {
    base: lowestAddress(elf),
    starts: new GrowableFloat64Array(),
    sizes: new GrowableFloat64Array(),
    limits: new GrowableFloat64Array(),
    ranks: new GrowableUint32Array(),
    namePlaces: new GrowableFloat64Array(),
  };
  const strings: ByteSource[] = [];
  for (const each of [elf, ...others]) {
    const limitOf = limitFinder(each, columns.base);
    for (const section of findSymbolSections(each)) {
      collectSection(each, section, strings.push(section.strings) - 1, columns, limitOf);
    }
  }
  return {
    base: columns.base,
    starts: columns.starts.view(),
    sizes: columns.sizes.view(),
    limits: columns.limits.view(),
    ranks: columns.ranks.view(),
    namePlaces: columns.namePlaces.view(),
    strings: new StringTables(strings),
  };
}

function lowestAddress(elf: ElfFile): bigint {
  let lowest: bigint | undefined;
  for (const { type, virtualAddress } of elf.segments) {
    if (type === segmentTypes.load && (lowest === undefined || virtualAddress < lowest)) lowest = virtualAddress;
  }
  return lowest ?? 0n;
}

/** Where code of a section must end and whether it is code; relative addresses. */
type LimitFinder = (sectionIndex: number, start: number) => { readonly end: number; readonly isCode: boolean };

function limitFinder(elf: ElfFile, base: bigint): LimitFinder {
  const sections = elf.sections.map((section) => ({
    end: Number(section.virtualAddress - base) + section.size,
    isCode: (section.flags & sectionFlags.execute) !== 0,
  }));
  const segments = elf.segments
    .filter(({ type, flags }) => type === segmentTypes.load && (flags & segmentFlags.execute) !== 0)
    .map((segment) => {
      const start = Number(segment.virtualAddress - base);
      return { start, end: start + segment.memorySize, isCode: true };
    });
  return (index, start) =>
    sections[index] ??
    segments.find((segment) => start >= segment.start && start < segment.end) ?? { end: 0, isCode: false };
}

function collectSection(
  elf: ElfFile,
  section: SymbolSection,
  table: number,
  columns: Columns,
  limitOf: LimitFinder,
): void {
  const { is64Bit, littleEndian } = elf;
  const { entrySize } = section;
  const perRead = Math.max(1, Math.floor(bytesPerRead / entrySize));
  const baseHigh = Number(columns.base >> 32n);
  const baseLow = Number(columns.base & 0xffff_ffffn);
  for (let first = 0; first < section.count; first += perRead) {
    const count = Math.min(perRead, section.count - first);
    const bytes = readExactly(section.symbols, first * entrySize, count * entrySize);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < count; i++) {
      const at = i * entrySize;
      const info = view.getUint8(at + (is64Bit ? 4 : 12));
      const type = info & 15;
      const isFunction = type === symbolTypes.function || type === symbolTypes.indirectFunction;
      if (!isFunction && type !== symbolTypes.none) continue;
      const sectionIndex = view.getUint16(at + (is64Bit ? 6 : 14), littleEndian);
      const nameOffset = view.getUint32(at, littleEndian);
      if (isNoSection(sectionIndex) || nameOffset === 0 || nameOffset >= section.strings.size) continue;
      const high = is64Bit ? view.getUint32(at + (littleEndian ? 12 : 8), littleEndian) : 0;
      let low = view.getUint32(at + (is64Bit ? (littleEndian ? 8 : 12) : 4), littleEndian);
      // The lowest bit of an ARM function says Thumb.
      if (elf.machine === machines.arm && isFunction && low % 2 === 1) low--;
      const start = (high - baseHigh) * 2 ** 32 + low - baseLow;
      if (start < 0 || start > Number.MAX_SAFE_INTEGER || (high === 0 && low === 0)) continue;
      const size = is64Bit
        ? view.getUint32(at + (littleEndian ? 20 : 16), littleEndian) * 2 ** 32 +
          view.getUint32(at + (littleEndian ? 16 : 20), littleEndian)
        : view.getUint32(at + 8, littleEndian);
      const limit = limitOf(sectionIndex, start);
      if (!isFunction && !limit.isCode) continue;
      if (columns.starts.length === mostFunctions) {
        throw new BinaryFormatError('too_large', `more than ${mostFunctions} functions`);
      }
      columns.starts.push(start);
      columns.sizes.push(Math.min(size, 2 ** 40));
      columns.limits.push(limit.end);
      columns.ranks.push(rankOf(size > 0, isFunction, bindingRank(info >> 4)));
      columns.namePlaces.push(placeOfName(table, nameOffset));
    }
  }
}
