import { BinaryFormatError } from '../binary-error.ts';
import { flattenIntervals } from '../flatten-intervals.ts';
import { GrowableFloat64Array, GrowableUint32Array } from '../growable-array.ts';
import { type Abbreviation, type AbbreviationTable, roles } from './abbreviations.ts';
import { AddressMap } from './address-map.ts';
import type { CodeRanges } from './code-ranges.ts';
import { forms } from './dwarf-codes.ts';
import { DwarfReader } from './dwarf-reader.ts';
import { abbreviationOf, type DwarfUnit } from './dwarf-unit.ts';
import { EntryValues, skipEntry } from './entry-values.ts';
import { RangeReader } from './range-lists.ts';

/** The functions of a unit that have code, and those inlined into them. 16 bytes a function beside the map. */
export interface FunctionTree {
  /** The innermost function at an address: an index into the arrays below. */
  readonly map: AddressMap;
  /** Offset of the function's entry in the unit. */
  readonly entries: Uint32Array;
  /** Of inlined functions, the function they were inlined into; -1 for the others. Always lower than the index. */
  readonly callers: Int32Array;
  readonly callFiles: Uint32Array;
  readonly callLines: Uint32Array;
  /** Functions named by their place only: offset of the entry, ascending, and of the namespace or class around it (an index of `scopes`). */
  readonly qualified: Uint32Array;
  readonly qualifiedScopes: Uint32Array;
  /** Offset of the entry of a namespace or class, and the index of that around it; the first one is the unit itself. */
  readonly scopes: Uint32Array;
  readonly scopeParents: Uint32Array;
  /** Entries after the damage are missing, or ranges of some functions. */
  readonly isDamaged: boolean;
  readonly byteLength: number;
}

/** Compilers nest some tens deep. */
const deepest = 4096;
const fixedCost = 1024;

/**
 * Walks all entries of a unit once. Types and variables are stepped over by their size, or by `DW_AT_sibling`. `bytes` are those of the
 * unit from its head to its end.
 */
export function readFunctionTree(
  unit: DwarfUnit,
  bytes: Uint8Array,
  abbreviations: AbbreviationTable,
  code: CodeRanges,
): FunctionTree {
  const walk = new TreeWalk(unit, bytes, abbreviations, code);
  let isDamaged = false;
  try {
    walk.run();
  } catch (error) {
    if (!(error instanceof BinaryFormatError)) throw error;
    isDamaged = true;
  }
  return walk.finish(isDamaged);
}

class TreeWalk {
  readonly #unit: DwarfUnit;
  readonly #reader: DwarfReader;
  readonly #abbreviations: AbbreviationTable;
  readonly #code: CodeRanges;
  readonly #ranges: RangeReader;
  readonly #values = new EntryValues();
  readonly #starts = new GrowableFloat64Array(64);
  readonly #ends = new GrowableFloat64Array(64);
  readonly #depths = new GrowableUint32Array(64);
  readonly #owners = new GrowableUint32Array(64);
  readonly #entries = new GrowableUint32Array(64);
  readonly #callers = new GrowableUint32Array(64);
  readonly #callFiles = new GrowableUint32Array(64);
  readonly #callLines = new GrowableUint32Array(64);
  readonly #qualified = new GrowableUint32Array(16);
  readonly #qualifiedScopes = new GrowableUint32Array(16);
  readonly #scopes = new GrowableUint32Array(16);
  readonly #scopeParents = new GrowableUint32Array(16);
  #hasDamagedRanges = false;
  #owner = 0;
  #depth = 0;

  constructor(unit: DwarfUnit, bytes: Uint8Array, abbreviations: AbbreviationTable, code: CodeRanges) {
    this.#unit = unit;
    this.#reader = new DwarfReader(bytes, unit.header.littleEndian);
    this.#abbreviations = abbreviations;
    this.#code = code;
    this.#ranges = new RangeReader(unit);
  }

  run(): void {
    const { header } = this.#unit;
    const reader = this.#reader;
    const abbreviations = this.#abbreviations;
    // By depth: the function (plus 1; 0 none) and the scope that entries there are in.
    const functions = new Uint32Array(deepest);
    const scopes = new Uint32Array(deepest);
    let [depth, currentFunction, currentScope] = [0, 0, 0];
    this.#scopes.push(header.entries - header.offset);
    this.#scopeParents.push(0);
    reader.position = header.entries - header.offset;
    while (!reader.isAtEnd) {
      const entry = reader.position;
      const abbreviationCode = reader.uleb();
      if (abbreviationCode === 0) {
        if (depth === 0) return;
        depth--;
        currentFunction = functions[depth] ?? 0;
        currentScope = scopes[depth] ?? 0;
        continue;
      }
      const abbreviation = abbreviationOf(abbreviations, abbreviationCode, entry);
      const { role, hasChildren } = abbreviation;
      let [innerFunction, innerScope] = [currentFunction, currentScope];
      if (role === roles.function || role === roles.inlined) {
        const isInlined = role === roles.inlined;
        this.#values.read(reader, abbreviation, header);
        this.#depth = depth;
        innerFunction = this.#addFunction(entry, isInlined, currentFunction);
        if (abbreviation.isQualified && currentScope !== 0) {
          this.#qualified.push(entry);
          this.#qualifiedScopes.push(currentScope);
        }
      } else {
        if (role === roles.skippable && hasChildren && abbreviation.siblingAt >= 0 && this.#jump(abbreviation, entry)) {
          continue;
        }
        skipEntry(reader, abbreviation, header);
        if (role === roles.scope && hasChildren) {
          innerScope = this.#scopes.length;
          this.#scopes.push(entry);
          this.#scopeParents.push(currentScope);
        }
      }
      if (!hasChildren) {
        if (depth === 0) return;
        continue;
      }
      if (depth + 1 >= deepest) throw new BinaryFormatError('malformed', 'DWARF: entries nested too deep');
      functions[depth] = currentFunction;
      scopes[depth] = currentScope;
      depth++;
      [currentFunction, currentScope] = [innerFunction, innerScope];
    }
  }

  /** Moves to the next sibling; false where the reference is of an unusual kind or does not lead forward. */
  #jump(abbreviation: Abbreviation, entry: number): boolean {
    const reader = this.#reader;
    const { position, view, littleEndian } = reader;
    if (abbreviation.siblingForm !== forms.ref4) return false;
    const at = position + abbreviation.siblingAt;
    if (at + 4 > reader.end) return false;
    const sibling = view.getUint32(at, littleEndian);
    if (sibling <= entry || sibling > reader.end || sibling <= at) return false;
    reader.position = sibling;
    return true;
  }

  /** Answers what the function's own entries are in: its index plus 1, or what is around it where it has no code. */
  #addFunction(entry: number, isInlined: boolean, around: number): number {
    const values = this.#values;
    const index = this.#entries.length;
    const before = this.#starts.length;
    this.#owner = index;
    try {
      this.#ranges.visit(values, this.#addRange);
    } catch (error) {
      if (!(error instanceof BinaryFormatError) || error.code === 'too_large') throw error;
      this.#hasDamagedRanges = true;
    }
    if (this.#starts.length === before) return isInlined ? around : 0;
    this.#entries.push(entry);
    this.#callers.push(isInlined ? around : 0);
    this.#callFiles.push(values.callFile);
    this.#callLines.push(values.callLine);
    return index + 1;
  }

  readonly #addRange = (start: number, end: number): void => {
    if (!this.#code.isLive(start)) return;
    this.#starts.push(start);
    this.#ends.push(end);
    this.#depths.push(this.#depth);
    this.#owners.push(this.#owner);
  };

  finish(isDamaged: boolean): FunctionTree {
    const map = this.#flatten();
    const words = 4 * this.#entries.length + 2 * (this.#qualified.length + this.#scopes.length);
    const callers = new Int32Array(this.#callers.length);
    for (let i = 0; i < callers.length; i++) callers[i] = this.#callers.at(i) - 1;
    return {
      map,
      entries: this.#entries.view().slice(),
      callers,
      callFiles: this.#callFiles.view().slice(),
      callLines: this.#callLines.view().slice(),
      qualified: this.#qualified.view().slice(),
      qualifiedScopes: this.#qualifiedScopes.view().slice(),
      scopes: this.#scopes.view().slice(),
      scopeParents: this.#scopeParents.view().slice(),
      isDamaged: isDamaged || this.#hasDamagedRanges,
      byteLength: fixedCost + map.byteLength + 4 * words,
    };
  }

  /** The deepest entry at an address is its innermost function. */
  #flatten(): AddressMap {
    const starts = this.#starts.view().slice();
    const ends = this.#ends.view().slice();
    let lowest = Infinity;
    for (let i = 0; i < starts.length; i++) lowest = Math.min(lowest, starts[i] ?? 0);
    for (let i = 0; i < starts.length; i++) {
      starts[i] = (starts[i] ?? 0) - lowest;
      ends[i] = (ends[i] ?? 0) - lowest;
    }
    const flat = flattenIntervals(starts, ends, this.#depths.view());
    const boundaries = new GrowableFloat64Array(2 * flat.starts.length + 1);
    const items = new GrowableUint32Array(2 * flat.starts.length + 1);
    for (let i = 0; i < flat.starts.length; i++) {
      const start = flat.starts[i] ?? 0;
      const owner = this.#owners.at(flat.items[i] ?? 0);
      const isAdjacent = boundaries.length > 0 && boundaries.last === start;
      // The gap that ended here is none; a function's ranges that touch are one.
      if (isAdjacent) boundaries.length = items.length -= 1;
      const isSame = isAdjacent && items.length > 0 && items.at(items.length - 1) === owner;
      if (!isSame) {
        boundaries.push(start);
        items.push(owner);
      }
      boundaries.push(flat.ends[i] ?? 0);
      items.push(noItem);
    }
    const addresses = boundaries.view().slice();
    const owners = new Int32Array(items.length);
    for (let i = 0; i < owners.length; i++) {
      addresses[i] = (addresses[i] ?? 0) + lowest;
      // As a signed number, `noItem` is the -1 of a gap.
      owners[i] = items.at(i);
    }
    return new AddressMap(addresses, owners);
  }
}

const noItem = 0xffffffff;
