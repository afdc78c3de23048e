import type { Abbreviation } from './abbreviations.ts';
import { attributes, forms } from './dwarf-codes.ts';
import type { DwarfReader } from './dwarf-reader.ts';
import { indirectForm, readNumber, skipForm, type UnitShape } from './forms.ts';

/** An attribute as the entry has it; form 0 where it has not. `value` of a string in the entry itself is its position in the reader's bytes. */
export interface RawValue {
  form: number;
  value: number;
}

/** The attributes of one entry that lines and functions need, read over and over into the same object. */
export class EntryValues {
  readonly name: RawValue = { form: 0, value: 0 };
  readonly linkageName: RawValue = { form: 0, value: 0 };
  readonly lowPc: RawValue = { form: 0, value: 0 };
  readonly highPc: RawValue = { form: 0, value: 0 };
  readonly ranges: RawValue = { form: 0, value: 0 };
  readonly abstractOrigin: RawValue = { form: 0, value: 0 };
  readonly specification: RawValue = { form: 0, value: 0 };
  readonly stmtList: RawValue = { form: 0, value: 0 };
  readonly compDir: RawValue = { form: 0, value: 0 };
  readonly dwoName: RawValue = { form: 0, value: 0 };
  readonly dwoId: RawValue = { form: 0, value: 0 };
  readonly strOffsetsBase: RawValue = { form: 0, value: 0 };
  readonly addrBase: RawValue = { form: 0, value: 0 };
  readonly rnglistsBase: RawValue = { form: 0, value: 0 };
  readonly gnuRangesBase: RawValue = { form: 0, value: 0 };
  declLine = 0;
  callFile = 0;
  callLine = 0;
  language = 0;
  /** Exact, where `dwoId.value` may not be. */
  dwoIdBits = 0n;

  /** Reads all values of an entry; the reader stands behind its code, then behind the entry. */
  read(reader: DwarfReader, abbreviation: Abbreviation, shape: UnitShape): void {
    this.#clear();
    const { specifications } = abbreviation;
    for (let i = 0; i < specifications.length; i += 3) {
      let form = specifications[i + 1] ?? 0;
      if (form === forms.indirect) form = indirectForm(reader);
      this.#readOne(reader, specifications[i] ?? 0, form, specifications[i + 2] ?? 0, shape);
    }
  }

  #readOne(reader: DwarfReader, attribute: number, form: number, constant: number, shape: UnitShape): void {
    switch (attribute) {
      case attributes.declLine:
        this.declLine = readNumber(reader, form, constant, shape);
        return;
      case attributes.callFile:
        this.callFile = readNumber(reader, form, constant, shape);
        return;
      case attributes.callLine:
        this.callLine = readNumber(reader, form, constant, shape);
        return;
      case attributes.language:
        this.language = readNumber(reader, form, constant, shape);
        return;
      default: {
        const raw = this.#rawOf(attribute);
        if (raw === undefined) {
          skipForm(reader, form, shape);
          return;
        }
        raw.form = form;
        if (form === forms.string) {
          raw.value = reader.position;
          skipForm(reader, form, shape);
        } else {
          if (attribute === attributes.gnuDwoId && form === forms.data8) {
            this.dwoIdBits = reader.u64();
            reader.position -= 8;
          }
          raw.value = readNumber(reader, form, constant, shape);
        }
      }
    }
  }

  #rawOf(attribute: number): RawValue | undefined {
    switch (attribute) {
      case attributes.name:
        return this.name;
      case attributes.linkageName:
      case attributes.mipsLinkageName:
        return this.linkageName;
      case attributes.lowPc:
        return this.lowPc;
      case attributes.highPc:
        return this.highPc;
      case attributes.ranges:
        return this.ranges;
      case attributes.abstractOrigin:
        return this.abstractOrigin;
      case attributes.specification:
        return this.specification;
      case attributes.stmtList:
        return this.stmtList;
      case attributes.compDir:
        return this.compDir;
      case attributes.dwoName:
      case attributes.gnuDwoName:
        return this.dwoName;
      case attributes.gnuDwoId:
        return this.dwoId;
      case attributes.strOffsetsBase:
        return this.strOffsetsBase;
      case attributes.addrBase:
      case attributes.gnuAddrBase:
        return this.addrBase;
      case attributes.rnglistsBase:
        return this.rnglistsBase;
      case attributes.gnuRangesBase:
        return this.gnuRangesBase;
      default:
        return undefined;
    }
  }

  #clear(): void {
    this.name.form = 0;
    this.linkageName.form = 0;
    this.lowPc.form = 0;
    this.highPc.form = 0;
    this.ranges.form = 0;
    this.abstractOrigin.form = 0;
    this.specification.form = 0;
    this.stmtList.form = 0;
    this.compDir.form = 0;
    this.dwoName.form = 0;
    this.dwoId.form = 0;
    this.strOffsetsBase.form = 0;
    this.addrBase.form = 0;
    this.rnglistsBase.form = 0;
    this.gnuRangesBase.form = 0;
    this.declLine = 0;
    this.callFile = 0;
    this.callLine = 0;
    this.language = 0;
    this.dwoIdBits = 0n;
  }
}

/** Moves over all values of an entry. */
export function skipEntry(reader: DwarfReader, abbreviation: Abbreviation, shape: UnitShape): void {
  if (abbreviation.fixedSize >= 0) {
    reader.take(abbreviation.fixedSize);
    return;
  }
  const { specifications } = abbreviation;
  for (let i = 1; i < specifications.length; i += 3) skipForm(reader, specifications[i] ?? 0, shape);
}
