import { BinaryFormatError } from '../binary-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { forms } from './dwarf-codes.ts';
import type { DwarfReader } from './dwarf-reader.ts';
import { type DwarfUnit, tableHeadSize } from './dwarf-unit.ts';
import type { EntryValues, RawValue } from './entry-values.ts';
import { isAddressIndex } from './forms.ts';
import { SectionCursor } from './section-set.ts';

/** Told of each range [start, end) of an entry; addresses of 64 bits are signed. */
export type RangeVisitor = (start: number, end: number) => void;

/** Kinds of entries in `.debug_rnglists` (DWARF 5, 7.25). */
const entryKinds = {
  endOfList: 0,
  baseIndex: 1,
  startIndexEndIndex: 2,
  startIndexLength: 3,
  offsetPair: 4,
  base: 5,
  startEnd: 6,
  startLength: 7,
} as const;

/** How many entries of lists may be read, by section: as many as it has bytes. */
export class RangeBudget {
  readonly #left = new Map<ByteSource, number>();

  take(section: ByteSource): void {
    const left = this.#left.get(section) ?? section.size;
    if (left <= 0) throw new BinaryFormatError('too_large', 'DWARF: more ranges than their section has');
    this.#left.set(section, left - 1);
  }
}

/** The longest entry: a kind, two addresses or LEB128 numbers. */
const longestEntry = 24;

/**
 * The ranges of a unit's entries. Lists of one file follow another, so that all of them together have no more entries than the section has bytes; what goes beyond
 * (every entry of a hostile file names the same long list) is an error of code `too_large`.
 */
export class RangeReader {
  readonly #unit: DwarfUnit;
  readonly #budget: RangeBudget;
  #legacy: SectionCursor | undefined;
  #lists: SectionCursor | undefined;

  /** `budget` is shared where many units are read. */
  constructor(unit: DwarfUnit, budget: RangeBudget = new RangeBudget()) {
    this.#unit = unit;
    this.#budget = budget;
  }

  /** Ranges by `DW_AT_ranges`, or low and high PC. Throws `BinaryFormatError`. */
  visit(values: EntryValues, visit: RangeVisitor): void {
    const { lowPc, highPc, ranges } = values;
    if (ranges.form !== 0) {
      this.#visitList(ranges, visit);
    } else if (lowPc.form !== 0 && highPc.form !== 0) {
      const low = this.#unit.address(lowPc);
      const isAddress = highPc.form === forms.addr || isAddressIndex(highPc.form);
      const high = isAddress ? this.#unit.address(highPc) : low + highPc.value;
      if (high > low) visit(low, high);
    }
  }

  #visitList(ranges: RawValue, visit: RangeVisitor): void {
    if (this.#unit.header.version < 5) this.#visitLegacy(ranges.value, visit);
    else this.#visitRngList(this.#rngListOffset(ranges), visit);
  }

  #visitLegacy(listOffset: number, visit: RangeVisitor): void {
    const unit = this.#unit;
    const { addressSize, littleEndian } = unit.header;
    const { skeleton } = unit;
    // GNU's split units have their ranges in the executable, from a base that its skeleton names.
    const base = skeleton?.root.gnuRangesBase.form ? skeleton.root.gnuRangesBase.value : 0;
    this.#legacy ??= new SectionCursor((skeleton ?? unit).sections.get('ranges'), littleEndian);
    const highest = addressSize === 8 ? -1 : 2 ** (8 * addressSize) - 1;
    let [offset, added] = [base + listOffset, unit.lowPc];
    for (;;) {
      this.#budget.take(this.#legacy.section);
      const reader = this.#legacy.at(offset, 2 * addressSize);
      const [start, end] = [reader.address(addressSize), reader.address(addressSize)];
      offset += 2 * addressSize;
      if (start === highest) added = end;
      else if (start === 0 && end === 0) return;
      else if (end > start) visit(start + added, end + added);
    }
  }

  #rngListOffset(ranges: RawValue): number {
    if (ranges.form !== forms.rnglistx) return ranges.value;
    const { header, root } = this.#unit;
    const { is64BitFormat, littleEndian } = header;
    // The table of offsets comes after the head and its count of 4 bytes; offsets count from the table.
    const base = root.rnglistsBase.form === 0 ? tableHeadSize(is64BitFormat) + 4 : root.rnglistsBase.value;
    this.#lists ??= new SectionCursor(this.#unit.sections.get('rnglists'), littleEndian);
    const size = is64BitFormat ? 8 : 4;
    return base + this.#lists.at(base + ranges.value * size, size).offset(is64BitFormat);
  }

  #visitRngList(listOffset: number, visit: RangeVisitor): void {
    const unit = this.#unit;
    const { addressSize, littleEndian } = unit.header;
    this.#lists ??= new SectionCursor(unit.sections.get('rnglists'), littleEndian);
    let offset = listOffset;
    let base = unit.lowPc;
    for (;;) {
      this.#budget.take(this.#lists.section);
      const reader = this.#lists.at(offset, longestEntry);
      const from = reader.position;
      const kind = reader.u8();
      if (kind === entryKinds.endOfList) return;
      if (kind === entryKinds.base) base = reader.address(addressSize);
      else if (kind === entryKinds.baseIndex) base = unit.addressAt(reader.uleb());
      else {
        const { start, end } = this.#rangeOf(reader, kind, base, addressSize);
        if (end > start) visit(start, end);
      }
      offset += reader.position - from;
    }
  }

  #rangeOf(reader: DwarfReader, kind: number, base: number, addressSize: number): { start: number; end: number } {
    const unit = this.#unit;
    switch (kind) {
      case entryKinds.startIndexEndIndex: {
        const start = unit.addressAt(reader.uleb());
        return { start, end: unit.addressAt(reader.uleb()) };
      }
      case entryKinds.startIndexLength: {
        const start = unit.addressAt(reader.uleb());
        return { start, end: start + reader.uleb() };
      }
      case entryKinds.offsetPair: {
        const start = base + reader.uleb();
        return { start, end: base + reader.uleb() };
      }
      case entryKinds.startEnd: {
        const start = reader.address(addressSize);
        return { start, end: reader.address(addressSize) };
      }
      case entryKinds.startLength: {
        const start = reader.address(addressSize);
        return { start, end: start + reader.uleb() };
      }
      default:
        throw new BinaryFormatError('malformed', `DWARF: range list entry ${kind}`);
    }
  }
}
