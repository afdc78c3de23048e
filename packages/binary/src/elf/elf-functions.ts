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
  const order = all.filter((symbol) => !names.isNoFunction(symbol));
  const outStarts = new GrowableFloat64Array(starts.length + 1);
  const outEnds = new GrowableFloat64Array(starts.length + 1);
  const outSymbols = new GrowableUint32Array(starts.length + 1);
  const priorities = new GrowableFloat64Array(starts.length + 1);
  // Symbols with a size outrank those without wherever they meet: a label inside of a function does not split it.
  const sizedFirst = starts.length * 2;
  for (let from = 0, to = 0; from < order.length; from = to) {
    const start = starts[order[from] ?? 0] ?? 0;
    to = endOfGroup(starts, order, from);
    let group: Uint32Array | number[] = order.subarray(from, to);
    if (group.length > 1) group = [...group].sort((a, b) => names.compare(a, b));
    // Without a size it reaches to the next symbol, but not out of its section.
    const nextStart = to < order.length ? (starts[order[to] ?? 0] ?? 0) : Infinity;
    let reach = start;
    for (const [place, symbol] of group.entries()) {
      const size = sizes[symbol] ?? 0;
      const end = size > 0 ? start + size : Math.min(nextStart, limits[symbol] ?? 0);
      if (end <= reach) continue;
      reach = end;
      outStarts.push(start);
      outEnds.push(end);
      outSymbols.push(symbol);
      priorities.push((size > 0 ? sizedFirst : 0) + to - place);
    }
  }
  names.discard();
  discard(all, order);
  return {
    starts: outStarts.view(),
    ends: outEnds.view(),
    priorities: priorities.view(),
    symbols: outSymbols.view(),
  };
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
  readonly #indices = new Map<number, number>();
  readonly #names: NameBatch;

  constructor({ starts, ranks, namePlaces, strings }: FunctionSymbols, order: Uint32Array) {
    this.#ranks = ranks;
    const places = new GrowableFloat64Array();
    for (let from = 0, to = 0; from < order.length; from = to) {
      to = endOfGroup(starts, order, from);
      for (let i = from; i < to; i++) {
        const symbol = order[i] ?? 0;
        if (to - from === 1 && !isLabel(ranks[symbol] ?? 0)) continue;
        this.#indices.set(symbol, places.length);
        places.push(namePlaces[symbol] ?? 0);
      }
    }
    this.#names = strings.namesAt(places.view());
    places.discard();
  }

  /** Gives their memory back. */
  discard(): void {
    this.#names.discard();
  }

  /** The better name first. */
  compare(a: number, b: number): number {
    const byRank = (this.#ranks[b] ?? 0) - (this.#ranks[a] ?? 0);
    return byRank === 0 ? compareNames(this.#nameOf(a), this.#nameOf(b)) : byRank;
  }

  /** Assemblers' local labels (`.L1`), marks of ARM's ABI (`$x`) and of annobin are no functions. */
  isNoFunction(symbol: number): boolean {
    if (!isLabel(this.#ranks[symbol] ?? 0)) return false;
    const [first] = this.#nameOf(symbol);
    return first === 0x2e || first === 0x24;
  }

  #nameOf(symbol: number): Uint8Array {
    return this.#names.get(this.#indices.get(symbol) ?? 0);
  }
}

/** Fewer leading underscores, then shorter, then byte order. */
function compareNames(a: Uint8Array, b: Uint8Array): number {
  const underscores = leadingUnderscores(a) - leadingUnderscores(b);
  if (underscores !== 0) return underscores;
  return a.length - b.length || Buffer.compare(a, b);
}

function leadingUnderscores(name: Uint8Array): number {
  // `_Z` and `_R` begin a mangled name and say nothing about the function.
  let count = 0;
  while (name[count] === 0x5f) count++;
  return count;
}

/**
 * Stores each name once, in the order of addresses: neighbours in the code compress three times better than neighbours in the string table. They are
 * read in portions, each in the order of the table.
 */
function storeNames(symbols: FunctionSymbols, owners: Uint32Array): { nameIds: Uint32Array; names: NameBlocks } {
  const names = new NameBlocks();
  const nameIds = new Uint32Array(owners.length);
  const known = new Map<number, number>();
  for (let from = 0; from < owners.length; from += namesPerPortion) {
    const portion = owners.subarray(from, from + namesPerPortion);
    const batch = symbols.strings.namesAt(Float64Array.from(portion, (owner) => symbols.namePlaces[owner] ?? 0));
    for (const [i, owner] of portion.entries()) {
      let id = known.get(owner);
      if (id === undefined) {
        id = names.add(batch.get(i));
        known.set(owner, id);
      }
      nameIds[from + i] = id;
    }
    batch.discard();
  }
  return { nameIds, names };
}
