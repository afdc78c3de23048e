import { BinaryFormatError } from '../binary-error.ts';
import type { Abbreviation } from './abbreviations.ts';
import { forms } from './dwarf-codes.ts';
import { DwarfReader, textOf } from './dwarf-reader.ts';
import { EntryValues, type RawValue } from './entry-values.ts';
import { isAddressIndex, isStringIndex } from './forms.ts';
import { SectionCursor, type SectionSet } from './section-set.ts';
import { textAt } from './text-at.ts';
import type { UnitHeader } from './unit-header.ts';

/** What a unit says about itself in its first entry, and how to follow what its entries refer to. */
export class DwarfUnit {
  readonly sections: SectionSet;
  readonly header: UnitHeader;
  readonly tag: number;
  /** Base of its lists of ranges; 0 where its code is in several places. */
  readonly lowPc: number;
  readonly root = new EntryValues();
  /** The unit in the executable for which this one was split off: it has the addresses. */
  readonly skeleton: DwarfUnit | undefined;
  readonly #rootBytes: Uint8Array;
  #addresses: SectionCursor | undefined;

  /** `rootBytes`: the values of the first entry, after its code, and what follows; a copy is kept. Throws `BinaryFormatError`. */
  constructor(
    sections: SectionSet,
    header: UnitHeader,
    abbreviation: Abbreviation,
    rootBytes: Uint8Array,
    skeleton?: DwarfUnit,
  ) {
    this.sections = sections;
    this.header = header;
    this.tag = abbreviation.tag;
    this.skeleton = skeleton;
    const reader = new DwarfReader(rootBytes, header.littleEndian);
    this.root.read(reader, abbreviation, header);
    this.#rootBytes = rootBytes.slice(0, reader.position);
    const { lowPc } = this.root;
    this.lowPc = skeleton?.lowPc ?? (lowPc.form === 0 ? 0 : this.address(lowPc));
  }

  /** A string of the first entry; empty where it has none. */
  rootText(raw: RawValue): string {
    return this.text(raw, this.#rootBytes) ?? '';
  }

  /**
   * The text of a string attribute, `bytes` being those that the entry was read from. `undefined` without the attribute, or when it is in a supplementary
   * file that is not here. Throws `BinaryFormatError`.
   */
  text(raw: RawValue, bytes: Uint8Array): string | undefined {
    const { form, value } = raw;
    if (form === 0) return undefined;
    if (form === forms.string) {
      const nul = bytes.indexOf(0, value);
      return textOf(bytes.subarray(value, nul < 0 ? bytes.length : nul));
    }
    if (form === forms.gnuStrpAlt || form === forms.strpSup) {
      const { supplementary } = this.sections;
      return supplementary === undefined ? undefined : textAt(supplementary.get('str'), value);
    }
    if (form === forms.strp) return textAt(this.sections.get('str'), value);
    if (form === forms.lineStrp) return textAt(this.sections.get('line_str'), value);
    if (isStringIndex(form)) return textAt(this.sections.get('str'), this.#stringOffset(value));
    return undefined;
  }

  #stringOffset(index: number): number {
    const { header, sections } = this;
    const base = this.root.strOffsetsBase;
    // Without a base, as in split units, the first table of the section is meant; only DWARF 5 gives it a head.
    const defaultBase = header.version >= 5 ? tableHeadSize(header.is64BitFormat) : 0;
    const size = header.is64BitFormat ? 8 : 4;
    const at = (base.form === 0 ? defaultBase : base.value) + index * size;
    const section = sections.get('str_offsets');
    return new DwarfReader(section.read(at, size), header.littleEndian).offset(header.is64BitFormat);
  }

  /** An address, direct or by its index. Addresses of 64 bits are signed. Throws `BinaryFormatError`. */
  address(raw: RawValue): number {
    return isAddressIndex(raw.form) ? this.addressAt(raw.value) : raw.value;
  }

  /** An entry of the unit's table of addresses. */
  addressAt(index: number): number {
    const owner = this.skeleton ?? this;
    const { addressSize, littleEndian, version } = owner.header;
    owner.#addresses ??= new SectionCursor(owner.sections.get('addr'), littleEndian);
    const base = owner.root.addrBase;
    // DWARF 5 tables have a head of 8 bytes in the 32-bit format.
    const start = base.form === 0 ? (version >= 5 ? 8 : 0) : base.value;
    return owner.#addresses.at(start + index * addressSize, addressSize).address(addressSize);
  }

  /** Offset in `.debug_info` of an entry that is referred to in the same file; `undefined` for other kinds of reference. */
  reference(raw: RawValue): number | undefined {
    const { form, value } = raw;
    if (form === forms.refAddr) return value;
    if (
      form === forms.ref4 ||
      form === forms.ref1 ||
      form === forms.ref2 ||
      form === forms.ref8 ||
      form === forms.refUdata
    ) {
      return this.header.offset + value;
    }
    return undefined;
  }

  /** Where the unit's line table is in `.debug_line` of the executable. */
  get lineTableOffset(): number | undefined {
    const { stmtList } = (this.skeleton ?? this).root;
    return stmtList.form === 0 ? undefined : stmtList.value;
  }

  get compDir(): string {
    const owner = this.skeleton ?? this;
    const own = owner.rootText(owner.root.compDir);
    return own === '' && this.skeleton !== undefined ? this.rootText(this.root.compDir) : own;
  }
}

/** Heads of `.debug_str_offsets` and `.debug_rnglists` without the counts after them: length, version, padding or sizes. */
export function tableHeadSize(is64BitFormat: boolean): number {
  return is64BitFormat ? 16 : 8;
}

/** The most bytes of a first entry: names and directories are a few hundred. */
export const mostRootBytes = 16 * 1024;

/** The code of an entry, checked. */
export function abbreviationOf(
  table: { get(code: number): Abbreviation | undefined },
  code: number,
  offset: number,
): Abbreviation {
  const abbreviation = table.get(code);
  if (abbreviation === undefined) throw new BinaryFormatError('malformed', `DWARF: abbreviation ${code} at ${offset}`);
  return abbreviation;
}
