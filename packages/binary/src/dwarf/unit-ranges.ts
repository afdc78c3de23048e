import { asResult, BinaryFormatError } from '../binary-error.ts';
import { GrowableFloat64Array, GrowableUint32Array } from '../growable-array.ts';
import { sortedOrder } from '../sorted-order.ts';
import type { CodeRanges } from './code-ranges.ts';
import { tags, unitTypes } from './dwarf-codes.ts';
import { DwarfReader } from './dwarf-reader.ts';
import type { DwarfUnits } from './dwarf-units.ts';
import { RangeBudget, RangeReader } from './range-lists.ts';

/** How many units may claim one address: LTO and folded functions give two or three. */
const mostCandidates = 8;
/** How far back a search looks for a range that reaches over others. */
const mostStepsBack = 4096;
/** Units of a large browser, each function in a section of its own, have a million or two. 48 bytes each. */
const mostRanges = 4_000_000;

/** Which units have code at an address, by what their first entries say, else by `.debug_aranges`. */
export class UnitRanges {
  #starts = new Float64Array(0);
  #ends = new Float64Array(0);
  #units = new Uint32Array(0);
  /** The highest end of a range and all before it: where it is not above an address, nothing before has the address. */
  #reach = new Float64Array(0);
  readonly #newStarts = new GrowableFloat64Array();
  readonly #newEnds = new GrowableFloat64Array();
  readonly #newUnits = new GrowableUint32Array();
  /** Units that may have code but do not say where. */
  unplaced: Uint32Array = new Uint32Array(0);
  damagedUnits = 0;

  get byteLength(): number {
    // The sorted arrays, and those that they were gathered in.
    return 48 * this.#starts.length + this.unplaced.byteLength;
  }

  add(start: number, end: number, unit: number): void {
    if (this.#newStarts.length >= mostRanges) throw new BinaryFormatError('too_large', 'DWARF: ranges of units');
    this.#newStarts.push(start);
    this.#newEnds.push(end);
    this.#newUnits.push(unit);
  }

  /** Makes what was added known to `candidates`. */
  sort(): void {
    const starts = this.#newStarts.view();
    const lowest = starts.reduce((least, each) => Math.min(least, each), Infinity);
    const order = sortedOrder(starts.map((each) => each - lowest));
    const [ends, units] = [this.#newEnds.view(), this.#newUnits.view()];
    this.#starts = new Float64Array(order.length);
    this.#ends = new Float64Array(order.length);
    this.#units = new Uint32Array(order.length);
    for (let i = 0; i < order.length; i++) {
      const item = order[i] ?? 0;
      this.#starts[i] = starts[item] ?? 0;
      this.#ends[i] = ends[item] ?? 0;
      this.#units[i] = units[item] ?? 0;
    }
    this.#reach = this.#ends.slice();
    for (let i = 1; i < this.#reach.length; i++) {
      this.#reach[i] = Math.max(this.#reach[i] ?? 0, this.#reach[i - 1] ?? 0);
    }
  }

  /** The units with code at an address, those with the nearest start first. */
  candidates(address: number): number[] {
    const starts = this.#starts;
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (let i = low - 1; i >= 0 && i >= low - mostStepsBack && found.length < mostCandidates; i--) {
      if ((this.#reach[i] ?? 0) <= address) break;
      const unit = this.#units[i] ?? 0;
      if (address < (this.#ends[i] ?? 0) && !found.includes(unit)) found.push(unit);
    }
    return found;
  }
}

/** Reads the first entry of every unit. Damaged units are counted and left out. */
export function readUnitRanges(units: DwarfUnits, code: CodeRanges): UnitRanges {
  const ranges = new UnitRanges();
  const unplaced: number[] = [];
  const budget = new RangeBudget();
  units.scan((index) => {
    const isPlaced = asResult(() => addUnit(units, index, { code, ranges, budget }));
    if (!isPlaced.ok) ranges.damagedUnits++;
    else if (!isPlaced.value) unplaced.push(index);
  });
  const placed = unplaced.length === 0 ? new Set<number>() : addAranges(units, new Set(unplaced), code, ranges);
  ranges.unplaced = Uint32Array.from(unplaced.filter((unit) => !placed.has(unit)));
  ranges.sort();
  return ranges;
}

/** False where the unit may have code but does not say where. */
function addUnit(
  units: DwarfUnits,
  index: number,
  context: { readonly code: CodeRanges; readonly ranges: UnitRanges; readonly budget: RangeBudget },
): boolean {
  const { code, ranges, budget } = context;
  const header = units.header(index);
  if (header.unitType === unitTypes.type || header.unitType === unitTypes.partial) return true;
  const unit = units.readUnit(header);
  if (unit.tag === tags.partialUnit || unit.tag === tags.typeUnit) return true;
  const { root } = unit;
  const isSilent = root.ranges.form === 0 && root.highPc.form === 0;
  // Without a line table it has no code: LTO's early entries.
  if (isSilent) return root.stmtList.form === 0 && root.dwoName.form === 0;
  new RangeReader(unit, budget).visit(root, (start, end) => {
    if (code.isLive(start)) ranges.add(start, end, index);
  });
  return true;
}

/**
 * Takes from `.debug_aranges` (DWARF 5, 6.1.2) what it says of these units. It is known to be incomplete and stale, so that units that tell their ranges
 * themselves are not looked up in it. Answers the units that it had.
 */
function addAranges(
  units: DwarfUnits,
  wanted: ReadonlySet<number>,
  code: CodeRanges,
  ranges: UnitRanges,
): ReadonlySet<number> {
  const placed = new Set<number>();
  const section = asResult(() => units.sections.file.section('.debug_aranges'));
  if (!section.ok || section.value === undefined) return placed;
  const source = section.value;
  const { littleEndian } = units.sections.file;
  const read = asResult(() => {
    for (let offset = 0; offset + 12 <= source.size;) {
      const head = new DwarfReader(source.read(offset, 32), littleEndian);
      const first = head.u32();
      const isWide = first === 0xffffffff;
      const size = isWide ? head.offset(true) : first;
      const lengthSize = head.position;
      const end = offset + lengthSize + size;
      if (size === 0 || end > source.size) throw new BinaryFormatError('malformed', 'DWARF: .debug_aranges');
      head.u16();
      const unitOffset = head.offset(isWide);
      const addressSize = head.u8();
      const index = units.indexOf(unitOffset);
      if (wanted.has(index) && units.offsets[index] === unitOffset && (addressSize === 4 || addressSize === 8)) {
        const reader = new DwarfReader(source.read(offset, end - offset).slice(), littleEndian);
        // The pairs are aligned to their own size, counted from the start of the set.
        reader.position = Math.ceil((head.position + 1) / (2 * addressSize)) * 2 * addressSize;
        while (reader.position + 2 * addressSize <= reader.end) {
          const start = reader.address(addressSize);
          const length = reader.address(addressSize);
          if (length <= 0 || !code.isLive(start)) continue;
          ranges.add(start, start + length, index);
          placed.add(index);
        }
      }
      offset = end;
    }
  });
  if (!read.ok) ranges.damagedUnits++;
  return placed;
}
