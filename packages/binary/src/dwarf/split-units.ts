import { asResult } from '../binary-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { tags, unitTypes } from './dwarf-codes.ts';
import type { DwarfFile, OpenDwarfOptions } from './dwarf-file.ts';
import { DwarfReader } from './dwarf-reader.ts';
import type { DwarfUnit } from './dwarf-unit.ts';
import { DwarfUnits } from './dwarf-units.ts';
import { type SectionKind, SectionSet } from './section-set.ts';
import { RangeSource } from '../range-source.ts';

/** A split unit, number `index` of its file. */
export interface SplitUnit {
  readonly units: DwarfUnits;
  readonly unit: DwarfUnit;
  readonly index: number;
  /** A file of its own, to be closed with the unit. */
  readonly file: DwarfFile | undefined;
}

/** The ID that joins a skeleton with its split unit; `undefined` for units that are whole. */
export function dwoIdOf(unit: DwarfUnit): bigint | undefined {
  const { root, header } = unit;
  if (root.dwoName.form === 0 && header.unitType !== unitTypes.skeleton) return undefined;
  return header.dwoId ?? (root.dwoId.form === 0 ? undefined : root.dwoIdBits);
}

/** One file of split DWARF holds one unit; those of LTO some. */
const mostUnitsSearched = 4096;
/** A unit's abbreviations are used for that unit only. */
const abbreviationBudget = 256 * 1024;

/** Finds split units in the package beside the executable, then as files of their own. */
export class SplitUnits {
  readonly #options: OpenDwarfOptions;
  /** Split units that were nowhere to be found, or damaged. */
  missing = 0;

  constructor(options: OpenDwarfOptions) {
    this.#options = options;
  }

  /** `undefined` where it is nowhere. Throws `BinaryFormatError`, and what opening a file throws. */
  find(skeleton: DwarfUnit, skeletonIndex: number, dwoId: bigint): SplitUnit | undefined {
    // The same ID each time that the file is opened, after those of the executable and of dwz's file: names are kept under it.
    const found = this.#find(skeleton, skeletonIndex + 2, dwoId);
    if (found === undefined) this.missing++;
    return found;
  }

  #find(skeleton: DwarfUnit, id: number, dwoId: bigint): SplitUnit | undefined {
    const { packageFile, split } = this.#options;
    if (packageFile !== undefined) {
      const contributions = asResult(() => findContributions(packageFile, dwoId));
      if (contributions.ok && contributions.value !== undefined) {
        return openSplit(packageFile, { id, dwoId, skeleton, contributions: contributions.value });
      }
    }
    const name = skeleton.rootText(skeleton.root.dwoName);
    const file = name === '' ? undefined : split?.(name, skeleton.compDir, dwoId);
    const found = file === undefined ? undefined : openSplit(file, { id, dwoId, skeleton });
    if (found === undefined) file?.close?.();
    return found === undefined ? undefined : { ...found, file };
  }
}

function openSplit(
  file: DwarfFile,
  what: {
    readonly id: number;
    readonly dwoId: bigint;
    readonly skeleton: DwarfUnit;
    readonly contributions?: ReadonlyMap<SectionKind, ByteSource>;
  },
): SplitUnit | undefined {
  const { id, dwoId, skeleton, contributions } = what;
  const opened = asResult(() => {
    const units = new DwarfUnits(new SectionSet(file, { isSplit: true, contributions }), id, abbreviationBudget);
    for (let index = 0; index < Math.min(units.count, mostUnitsSearched); index++) {
      const unit = units.readUnit(units.header(index), skeleton);
      const ownId = unit.header.dwoId ?? (unit.root.dwoId.form === 0 ? dwoId : unit.root.dwoIdBits);
      if (unit.tag === tags.compileUnit && ownId === dwoId) return { units, unit, index, file: undefined };
    }
    return undefined;
  });
  return opened.ok ? opened.value : undefined;
}

/** Numbers of sections in a package's index: GNU's (version 2) and those of DWARF 5, 7.3.5.3. */
const sectionNumbers: Readonly<Record<number, ReadonlyMap<number, SectionKind>>> = {
  2: new Map([
    [1, 'info'],
    [3, 'abbrev'],
    [4, 'line'],
    [6, 'str_offsets'],
  ]),
  5: new Map([
    [1, 'info'],
    [3, 'abbrev'],
    [4, 'line'],
    [6, 'str_offsets'],
    [8, 'rnglists'],
  ]),
};

/** Looks the unit up in the hash table of `.debug_cu_index`. Throws `BinaryFormatError`. */
function findContributions(file: DwarfFile, dwoId: bigint): ReadonlyMap<SectionKind, ByteSource> | undefined {
  const index = file.section('.debug_cu_index');
  if (index === undefined) return undefined;
  const { littleEndian } = file;
  const u32 = (at: number): number => new DwarfReader(index.read(at, 4), littleEndian).u32();
  // Version 5 is a half-word with padding after it, which differs from a word where bytes are in big-endian order.
  const version = u32(0) === 2 ? 2 : new DwarfReader(index.read(0, 2), littleEndian).u16();
  const kinds = sectionNumbers[version];
  const [columns, unitCount, slots] = [u32(4), u32(8), u32(12)];
  if (kinds === undefined || slots === 0 || 16 + 12 * slots > index.size) return undefined;
  const mask = BigInt(slots - 1);
  const step = Number((dwoId >> 32n) & mask) | 1;
  let slot = Number(dwoId & mask);
  let row = 0;
  for (let probe = 0; probe < slots; probe++) {
    const signature = new DwarfReader(index.read(16 + 8 * slot, 8), littleEndian).u64();
    row = u32(16 + 8 * slots + 4 * slot);
    if (row === 0 || signature === dwoId) break;
    row = 0;
    slot = (slot + step) % slots;
  }
  if (row === 0 || row > unitCount || columns > 32) return undefined;
  const table = 16 + 12 * slots;
  const contributions = new Map<SectionKind, ByteSource>();
  for (let column = 0; column < columns; column++) {
    const kind = kinds.get(u32(table + 4 * column));
    if (kind === undefined) continue;
    const section = file.section(`.debug_${kind}.dwo`);
    const offset = u32(table + 4 * columns * row + 4 * column);
    const size = u32(table + 4 * columns * (unitCount + row) + 4 * column);
    if (section !== undefined) contributions.set(kind, new RangeSource(section, offset, size));
  }
  return contributions;
}
