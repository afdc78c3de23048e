import { asResult, type BinaryResult } from '../binary-error.ts';
import { flattenIntervals } from '../flatten-intervals.ts';
import { FunctionTable } from '../function-table.ts';
import { NameBlocks } from '../name-blocks.ts';
import { GrowableFloat64Array } from '../growable-array.ts';
import { sortedOrder } from '../sorted-order.ts';
import type { ElfFile } from './elf-file.ts';
import { StringTables } from './string-tables.ts';
import { collectFunctionSymbols, type FunctionSymbols } from './function-symbols.ts';

/**
 * The functions of a file by ELF virtual address, from `.symtab` and `.dynsym` (or PT_DYNAMIC). Names are mangled, without version
 * (`memcpy@@GLIBC_2.14` is `memcpy`). An empty table is no error: the file is stripped.
 *
 * Of several names of one address it keeps the one with a size, then global over local over weak (as perf does), a function over a
 * symbol without type, the one with fewer leading underscores, the shorter, the first in byte order.
 */
export function readElfFunctions(elf: ElfFile): BinaryResult<FunctionTable> {
  return asResult(() => {
    const symbols = collectFunctionSymbols(elf);
    const strings = new StringTables(elf.source);
    for (const { from, to } of symbols.stringTables) strings.declare(from, to);
    const chosen = chooseNames(strings, symbols);
    const flat = flattenIntervals(chosen.starts, chosen.ends, chosen.priorities);
    const { nameIds, names } = storeNames(
      strings,
      symbols,
      flat.items.map((item) => chosen.symbols[item] ?? 0),
    );
    return new FunctionTable(symbols.base, flat.starts, flat.ends, nameIds, names);
  });
}

interface ChosenIntervals {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** Higher where a later start hides an earlier one, and a better name of one start a worse one. */
  readonly priorities: Float64Array;
  /** Which symbol names the interval. */
  readonly symbols: Uint32Array;
}

function chooseNames(strings: StringTables, symbols: FunctionSymbols): ChosenIntervals {
  const { starts, sizes, limits, ranks, nameOffsets } = symbols;
  const order = sortedOrder(starts);
  const outStarts = new GrowableFloat64Array(starts.length + 1);
  const outEnds = new GrowableFloat64Array(starts.length + 1);
  const outSymbols = new GrowableFloat64Array(starts.length + 1);
  const priorities = new GrowableFloat64Array(starts.length + 1);
  // Sized symbols outrank those without a size wherever they meet: a label inside of a function does not split it.
  const sizedFirst = starts.length * 2;
  for (let from = 0, to = 0; from < order.length; from = to) {
    const start = starts[order[from] ?? 0] ?? 0;
    to = from + 1;
    while (to < order.length && starts[order[to] ?? 0] === start) to++;
    const group = [...order.subarray(from, to)];
    if (group.length > 1) group.sort((a, b) => compareAliases(a, b));
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
  return {
    starts: outStarts.view(),
    ends: outEnds.view(),
    priorities: priorities.view(),
    symbols: Uint32Array.from(outSymbols.view()),
  };

  function compareAliases(a: number, b: number): number {
    const byRank = (ranks[b] ?? 0) - (ranks[a] ?? 0);
    if (byRank !== 0) return byRank;
    const name = strings.nameAt(nameOffsets[a] ?? 0).slice();
    return compareNames(name, strings.nameAt(nameOffsets[b] ?? 0));
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

/** Stores each name once, in the order of addresses: neighbours in the code compress three times better than neighbours in the string table. */
function storeNames(
  strings: StringTables,
  symbols: FunctionSymbols,
  owners: Uint32Array,
): { nameIds: Uint32Array; names: NameBlocks } {
  const names = new NameBlocks();
  const nameIds = new Uint32Array(owners.length);
  const known = new Map<number, number>();
  for (const [i, owner] of owners.entries()) {
    let id = known.get(owner);
    if (id === undefined) {
      id = names.add(strings.nameAt(symbols.nameOffsets[owner] ?? 0));
      known.set(owner, id);
    }
    nameIds[i] = id;
  }
  return { nameIds, names };
}
