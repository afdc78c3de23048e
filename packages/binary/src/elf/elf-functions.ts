import { asResult, type BinaryResult } from '../binary-error.ts';
import { discard } from '../discard.ts';
import { flattenIntervals } from '../flatten-intervals.ts';
import { FunctionTable } from '../function-table.ts';
import { NameBlocks } from '../name-blocks.ts';
import { GrowableFloat64Array, GrowableUint32Array } from '../growable-array.ts';
import { sortedOrder } from '../sorted-order.ts';
import type { ElfFile } from './elf-file.ts';
import { collectFunctionSymbols, type FunctionSymbols, isLabel } from './function-symbols.ts';
import type { NameBatch } from './string-tables.ts';

/** Names that are in memory at once while a table is made: 3 MB of Node.js's. */
const namesPerPortion = 32 * 1024;

/**
 * The functions of a file by ELF virtual address, from `.symtab` and `.dynsym` (or PT_DYNAMIC). Names are mangled, without version
 * (`memcpy@@GLIBC_2.14` is `memcpy`). An empty table is no error: the file is stripped. `others` are files with
 * symbols of the same program (`.gnu_debugdata`).
 *
 * Of several names of one address it keeps the one with a size, then functions over labels, then global over local over weak (as perf does), the one with fewer leading underscores, the shorter, the first in byte order.
 */
export function readElfFunctions(elf: ElfFile, others: readonly ElfFile[] = []): BinaryResult<FunctionTable> {
  return asResult(() => {
    const symbols = collectFunctionSymbols(elf, others);
    const chosen = chooseNames(symbols);
    const flat = flattenIntervals(chosen.starts, chosen.ends, chosen.priorities);
    for (let i = 0; i < flat.items.length; i++) flat.items[i] = chosen.symbols[flat.items[i] ?? 0] ?? 0;
    discard(symbols.starts, symbols.sizes, symbols.limits, symbols.ranks);
    discard(chosen.starts, chosen.ends, chosen.priorities, chosen.symbols);
    const { nameIds, names } = storeNames(symbols, flat.items);
    const functions = new FunctionTable(symbols.base, flat.starts, flat.ends, nameIds, names);
    discard(symbols.namePlaces, flat.items, flat.ends);
    return functions;
  });
}

interface ChosenIntervals {
  readonly starts: Float64Array<ArrayBuffer>;
  readonly ends: Float64Array<ArrayBuffer>;
  /** Higher where a later start hides an earlier one, and a better name of one start a worse one. */
  readonly priorities: Float64Array<ArrayBuffer>;
  /** Which symbol names the interval. */
  readonly symbols: Uint32Array<ArrayBuffer>;
}

function chooseNames(symbols: FunctionSymbols): ChosenIntervals {
  const { starts, sizes, limits } = symbols;
  const all = sortedOrder(starts);
  const names = new DecidingNames(symbols, all);
  let count = 0;
  for (let i = 0; i < all.length; i++) {
    const symbol = all[i] ?? 0;
    if (!names.isNoFunction(symbol)) all[count++] = symbol;
  }
  const order = all.subarray(0, count);
  const outStarts = new GrowableFloat64Array(starts.length + 1);
  const outEnds = new GrowableFloat64Array(starts.length + 1);
  const outSymbols = new GrowableUint32Array(starts.length + 1);
  const priorities = new GrowableFloat64Array(starts.length + 1);
  // Symbols with a size outrank those without wherever they meet: a label inside of a function does not split it.
  const sizedFirst = starts.length * 2;
  for (let from = 0, to = 0; from < order.length; from = to) {
    const start = starts[order[from] ?? 0] ?? 0;
    to = endOfGroup(starts, order, from);
    sortGroup(order, from, to, names);
    // Without a size it reaches to the next symbol, but not out of its section.
    const nextStart = to < order.length ? (starts[order[to] ?? 0] ?? 0) : Infinity;
    let reach = start;
    for (let at = from; at < to; at++) {
      const symbol = order[at] ?? 0;
      const size = sizes[symbol] ?? 0;
      const end = size > 0 ? start + size : Math.min(nextStart, limits[symbol] ?? 0);
      if (end <= reach) continue;
      reach = end;
      outStarts.push(start);
      outEnds.push(end);
      outSymbols.push(symbol);
      priorities.push((size > 0 ? sizedFirst : 0) + to - (at - from));
    }
  }
  names.discard();
  discard(all);
  return {
    starts: outStarts.view(),
    ends: outEnds.view(),
    priorities: priorities.view(),
    symbols: outSymbols.view(),
  };
}

/** Groups have two or three names; those of a hostile file may have all. */
const mostInserted = 16;

/** The best name first. */
function sortGroup(order: Uint32Array, from: number, to: number, names: DecidingNames): void {
  if (to - from > mostInserted) {
    order.subarray(from, to).sort((a, b) => names.compare(a, b));
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const symbol = order[i] ?? 0;
    let at = i;
    for (; at > from && names.compare(order[at - 1] ?? 0, symbol) > 0; at--) order[at] = order[at - 1] ?? 0;
    order[at] = symbol;
  }
}

/** Index behind the last symbol that starts where the one at `from` does. */
function endOfGroup(starts: Float64Array, order: Uint32Array, from: number): number {
  const start = starts[order[from] ?? 0];
  let to = from + 1;
  while (to < order.length && starts[order[to] ?? 0] === start) to++;
  return to;
}

/** The names that decide: of symbols that share address and rank, and of labels. */
class DecidingNames {
  readonly #ranks: Uint32Array;
  /** Of each symbol its place in `names`. */
  readonly #indices: Uint32Array<ArrayBuffer>;
  readonly #names: NameBatch;

  constructor({ starts, ranks, namePlaces, strings }: FunctionSymbols, order: Uint32Array) {
    this.#ranks = ranks;
    this.#indices = new Uint32Array(starts.length);
    const places = new GrowableFloat64Array();
    for (let from = 0, to = 0; from < order.length; from = to) {
      to = endOfGroup(starts, order, from);
      for (let i = from; i < to; i++) {
        const symbol = order[i] ?? 0;
        if (to - from === 1 && !isLabel(ranks[symbol] ?? 0)) continue;
        this.#indices[symbol] = places.length;
        places.push(namePlaces[symbol] ?? 0);
      }
    }
    this.#names = strings.namesAt(places.view());
    places.discard();
  }

  /** Gives their memory back. */
  discard(): void {
    this.#names.discard();
    discard(this.#indices);
  }

  /** The better name first: fewer leading underscores, then shorter, then byte order. */
  compare(a: number, b: number): number {
    const byRank = (this.#ranks[b] ?? 0) - (this.#ranks[a] ?? 0);
    if (byRank !== 0) return byRank;
    const names = this.#names;
    const [one, other] = [this.#indices[a] ?? 0, this.#indices[b] ?? 0];
    const better =
      leadingUnderscores(names, one) - leadingUnderscores(names, other) || names.lengthOf(one) - names.lengthOf(other);
    if (better !== 0) return better;
    for (let at = 0; at < names.lengthOf(one); at++) {
      const difference = names.byteAt(one, at) - names.byteAt(other, at);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Assemblers' local labels (`.L1`), marks of ARM's ABI (`$x`) and of annobin are no functions. */
  isNoFunction(symbol: number): boolean {
    if (!isLabel(this.#ranks[symbol] ?? 0)) return false;
    const first = this.#names.byteAt(this.#indices[symbol] ?? 0, 0);
    return first === 0x2e || first === 0x24;
  }
}

function leadingUnderscores(names: NameBatch, index: number): number {
  // `_Z` and `_R` begin a mangled name and say nothing about the function.
  let count = 0;
  while (names.byteAt(index, count) === 0x5f) count++;
  return count;
}

/**
 * Stores each name once, in the order of addresses: neighbours in the code compress three times better than neighbours in the string table. They are
 * read in portions, each in the order of the table.
 */
function storeNames(symbols: FunctionSymbols, owners: Uint32Array): { nameIds: Uint32Array; names: NameBlocks } {
  const names = new NameBlocks();
  const nameIds = new Uint32Array(owners.length);
  /** Of each symbol the number of its name, plus one. */
  const known = new Uint32Array(symbols.namePlaces.length);
  const places = new Float64Array(Math.min(namesPerPortion, owners.length));
  for (let from = 0; from < owners.length; from += namesPerPortion) {
    const count = Math.min(namesPerPortion, owners.length - from);
    for (let i = 0; i < count; i++) places[i] = symbols.namePlaces[owners[from + i] ?? 0] ?? 0;
    const batch = symbols.strings.namesAt(places.subarray(0, count));
    for (let i = 0; i < count; i++) {
      const owner = owners[from + i] ?? 0;
      if (known[owner] === 0) {
        const at = batch.placeOf(i);
        known[owner] = names.add(batch.bytes, at, at + batch.lengthOf(i)) + 1;
      }
      nameIds[from + i] = (known[owner] ?? 1) - 1;
    }
    batch.discard();
  }
  discard(known, places);
  return { nameIds, names };
}
