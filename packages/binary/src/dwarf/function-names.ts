import { BinaryFormatError } from '../binary-error.ts';
import { forms } from './dwarf-codes.ts';
import type { DwarfUnit } from './dwarf-unit.ts';
import type { DwarfUnits } from './dwarf-units.ts';
import { EntryValues, type RawValue } from './entry-values.ts';
import { LruCache } from '../lru-cache.ts';

/** What the entry of a function says of its source. */
export interface FunctionName {
  readonly name: string;
  /** 0 unknown. */
  readonly startLine: number;
  /** Something that the name was to be found by is damaged. */
  readonly isDamaged: boolean;
}

/** Finds the namespaces and classes around an entry that has no linkage name: outermost first, each with `::` behind it. */
export type QualifierOf = (units: DwarfUnits, unitIndex: number, unit: DwarfUnit, entryOffset: number) => string;

/** An inlined function refers to its abstract entry, that to its declaration, that to one in dwz's file: four steps. */
const mostReferences = 16;
/** One key tells the file and the offset: sections of 16 GiB of half a million files. What lies beyond is not kept. */
const offsetSpace = 2 ** 34;
const idSpace = 2 ** 19;
const nameCost = 160;

/** Names of functions by their entries, following references from entry to entry, also between units and into dwz's file. */
export class FunctionNames {
  readonly #cache: LruCache<number, FunctionName>;
  readonly #values = new EntryValues();
  readonly #qualifierOf: QualifierOf;

  constructor(budgetBytes: number, qualifierOf: QualifierOf) {
    this.#cache = new LruCache(budgetBytes);
    this.#qualifierOf = qualifierOf;
  }

  get byteLength(): number {
    return this.#cache.byteLength;
  }

  /** `unit` is number `unitIndex` of `units`, `offset` that of the entry in the section. */
  find(units: DwarfUnits, unitIndex: number, unit: DwarfUnit, offset: number): FunctionName {
    const key = units.id * offsetSpace + offset;
    const known = units.id < idSpace && offset < offsetSpace ? this.#cache.get(key) : undefined;
    if (known !== undefined) return known;
    const found = this.#resolve(units, unitIndex, unit, offset);
    if (units.id < idSpace && offset < offsetSpace) this.#cache.set(key, found, nameCost + 2 * found.name.length);
    return found;
  }

  #resolve(units: DwarfUnits, unitIndex: number, unit: DwarfUnit, offset: number): FunctionName {
    let name = '';
    let startLine = 0;
    let isLinkageName = false;
    try {
      let place: Place | undefined = { units, unitIndex, unit, offset };
      for (let step = 0; place !== undefined && !isLinkageName && step < mostReferences; step++) {
        const values = this.#values;
        const { bytes, abbreviation } = place.units.readEntry(place.unit, place.offset, values);
        if (startLine === 0) startLine = values.declLine;
        const reference = values.abstractOrigin.form === 0 ? { ...values.specification } : { ...values.abstractOrigin };
        const linkageName = place.unit.text(values.linkageName, bytes);
        if (linkageName !== undefined && linkageName !== '') {
          name = linkageName;
          isLinkageName = true;
          // A declaration has the line where the entry itself has none.
          if (startLine !== 0) break;
        } else if (name === '') {
          const plain = place.unit.text(values.name, bytes);
          if (plain !== undefined && plain !== '') {
            const isQualified = abbreviation.isQualified && values.linkageName.form === 0;
            name =
              (isQualified ? this.#qualifierOf(place.units, place.unitIndex, place.unit, place.offset) : '') + plain;
          }
        }
        place = follow(place, reference);
      }
    } catch (error) {
      if (!(error instanceof BinaryFormatError)) throw error;
      return { name, startLine, isDamaged: true };
    }
    return { name, startLine, isDamaged: false };
  }
}

interface Place {
  readonly units: DwarfUnits;
  readonly unitIndex: number;
  readonly unit: DwarfUnit;
  /** Of the entry, in the section. */
  readonly offset: number;
}

/** The entry that another refers to; `undefined` at the end of a chain, and where it leads into a file that is not here. */
function follow(place: Place, reference: RawValue): Place | undefined {
  const { form, value } = reference;
  if (form === 0) return undefined;
  const { units, unit } = place;
  if (form === forms.gnuRefAlt || form === forms.refSup4 || form === forms.refSup8) {
    return units.supplementary === undefined ? undefined : placeOf(units.supplementary, value);
  }
  const offset = unit.reference(reference);
  if (offset === undefined) return undefined;
  if (offset >= unit.header.offset && offset < unit.header.end) return { ...place, offset };
  return placeOf(units, offset);
}

function placeOf(units: DwarfUnits, offset: number): Place {
  const unitIndex = units.indexOf(offset);
  if (unitIndex < 0) throw new BinaryFormatError('malformed', `DWARF: reference to ${offset}`);
  return { units, unitIndex, unit: units.unit(unitIndex), offset };
}
