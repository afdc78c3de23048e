import { BinaryFormatError } from '../binary-error.ts';
import { BufferSource, type ByteSource } from '../byte-source.ts';
import { type Abbreviation, type AbbreviationTable, readAbbreviations } from './abbreviations.ts';
import { DwarfReader } from './dwarf-reader.ts';
import { abbreviationOf, DwarfUnit, mostRootBytes } from './dwarf-unit.ts';
import type { EntryValues } from './entry-values.ts';
import { LruCache } from '../lru-cache.ts';
import type { SectionSet } from './section-set.ts';
import { readUnitHeader, readUnitOffsets, type UnitHeader } from './unit-header.ts';

/** An entry far from others is read with this many bytes after it; if they do not suffice, with more. */
const entryGuess = 512;
/** An entry with larger values than this is not one of a function. */
const largestEntry = 64 * 1024;
/** Of `DwarfUnit` with its cursors, about. */
const unitCost = 2048;
const leastScanBytes = 4 * 1024 * 1024;
const longScan = 1024;
const mostUnitBytes = 256 * unitCost;

/** The units of one `.debug_info` section, and the abbreviations and heads of those that were used lately. */
export class DwarfUnits {
  readonly sections: SectionSet;
  readonly info: ByteSource;
  /** Where each unit starts, ascending. */
  readonly offsets: Float64Array;
  /** dwz's file of shared entries. */
  readonly supplementary: DwarfUnits | undefined;
  /** Tells the entries of several files apart in one cache of names. */
  readonly id: number;
  readonly #units = new LruCache<number, DwarfUnit>(mostUnitBytes);
  readonly #abbreviations: LruCache<number, AbbreviationTable>;
  /** What may still be read of `.debug_abbrev` while all units are gone through: each might name another part of one long table. */
  #scanBytesLeft = Infinity;

  /** Throws what the operating system throws; a damaged unit ends the list. */
  constructor(sections: SectionSet, id: number, abbreviationBudget: number, supplementary?: DwarfUnits) {
    this.sections = sections;
    this.id = id;
    this.supplementary = supplementary;
    // dwz's file may have nothing but strings.
    this.info = sections.find('info') ?? new BufferSource(new Uint8Array(0));
    this.offsets = readUnitOffsets(this.info, sections.file.littleEndian);
    this.#abbreviations = new LruCache(abbreviationBudget);
  }

  get byteLength(): number {
    return this.offsets.byteLength + this.#units.byteLength + this.#abbreviations.byteLength;
  }

  get count(): number {
    return this.offsets.length;
  }

  /** The unit that holds this offset of the section; -1 when none does. */
  indexOf(offset: number): number {
    const { offsets } = this;
    let [low, high] = [0, offsets.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((offsets[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Throws `BinaryFormatError`. */
  unit(index: number): DwarfUnit {
    const known = this.#units.get(index);
    if (known !== undefined) return known;
    const unit = this.readUnit(this.header(index));
    this.#units.set(index, unit, unitCost);
    return unit;
  }

  header(index: number): UnitHeader {
    return readUnitHeader(this.info, this.offsets[index] ?? 0, this.sections.file.littleEndian);
  }

  /** A unit by its head, not kept. Throws `BinaryFormatError`. */
  readUnit(header: UnitHeader, skeleton?: DwarfUnit): DwarfUnit {
    const size = header.end - header.entries;
    const reader = new DwarfReader(this.info.read(header.entries, Math.min(16, size)), header.littleEndian);
    const code = reader.uleb();
    const start = reader.position;
    const table = this.#abbreviations.get(header.abbreviations) ?? this.#scanAbbreviations(header, code);
    const abbreviation = abbreviationOf(table, code, header.entries);
    const bytes = this.info.read(header.entries + start, Math.min(mostRootBytes, size - start));
    return new DwarfUnit(this.sections, header, abbreviation, bytes, skeleton);
  }

  #scanAbbreviations(header: UnitHeader, code: number): AbbreviationTable {
    if (this.#scanBytesLeft <= 0) throw new BinaryFormatError('too_large', 'DWARF: abbreviations');
    const table = readAbbreviations(this.sections.get('abbrev'), header.abbreviations, header, code);
    this.#scanBytesLeft -= table.bytesRead;
    if (table.bytesRead <= longScan) return table;
    // The code is deep in its table, as where units share one: the next of them shall find it in memory.
    const whole = this.abbreviations(header);
    this.#scanBytesLeft -= whole.bytesRead;
    return whole;
  }

  /** Calls `visit` with the number of every unit; `readUnit` reads no more of the abbreviations meanwhile than a sane file has. */
  scan(visit: (index: number) => void): void {
    // A unit's own entry mostly has the first abbreviation of its table; dwz's and Go's units share theirs.
    this.#scanBytesLeft = leastScanBytes + 4 * (this.sections.find('abbrev')?.size ?? 0);
    for (let index = 0; index < this.count; index++) visit(index);
    this.#scanBytesLeft = Infinity;
  }

  /** All abbreviations of a unit. Throws `BinaryFormatError`. */
  abbreviations(header: UnitHeader): AbbreviationTable {
    const known = this.#abbreviations.get(header.abbreviations);
    if (known !== undefined) return known;
    const table = readAbbreviations(this.sections.get('abbrev'), header.abbreviations, header);
    this.#abbreviations.set(header.abbreviations, table, table.byteLength);
    return table;
  }

  /**
   * Reads the entry at an offset of a unit. Answers the bytes that strings within it are in, for `DwarfUnit.text`, valid as long as their owner likes.
   * Throws `BinaryFormatError`.
   */
  readEntry(unit: DwarfUnit, offset: number, values: EntryValues): { bytes: Uint8Array; abbreviation: Abbreviation } {
    const { header } = unit;
    if (!(offset >= header.entries && offset < header.end)) {
      throw new BinaryFormatError('malformed', `DWARF: reference to ${offset}`);
    }
    const table = this.abbreviations(header);
    const largest = Math.min(largestEntry, header.end - offset);
    for (let size = Math.min(entryGuess, largest); ; size = largest) {
      const reader = new DwarfReader(this.info.read(offset, size).slice(), header.littleEndian);
      try {
        const abbreviation = abbreviationOf(table, reader.uleb(), offset);
        values.read(reader, abbreviation, header);
        return { bytes: reader.bytes, abbreviation };
      } catch (error) {
        const isCut = error instanceof BinaryFormatError && error.code !== 'unsupported' && size < largest;
        if (!isCut) throw error;
      }
    }
  }
}
