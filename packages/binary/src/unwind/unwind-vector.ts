import { unwindKindExt, unwindKindInvalid, unwindPageShift } from './generated/unwind-abi.ts';
import { RowWriter } from './row-writer.ts';
import { unwindArchitectureOf } from './unwind-architecture.ts';
import type { UnwindMemory } from './unwind-memory.ts';
import { findUnwindMapping, type UnwindEnd, type UnwindMapping } from './unwind-stack.ts';
import { UnwindState } from './unwind-state.ts';
import { findUnwindRow, UnwindTable, type UnwindRows } from './unwind-table.ts';

/**
 * A stack that was met in a real process, with everything that is needed to unwind it again, by the twin in TypeScript as well as by the
 * kernel part. Addresses and words are hexadecimal (`0x…`). Only what the walk touches is there.
 */
export interface UnwindVector {
  /** What it shows, and how it was captured. */
  readonly name: string;
  readonly machine: number;
  readonly pc: string;
  /** By DWARF number. */
  readonly registers: readonly string[];
  /** Address and word of each place that is read. */
  readonly memory: readonly (readonly [string, string])[];
  readonly tables: readonly {
    readonly flags: number;
    readonly base: string;
    /** Offsets from the base: start, end (exclusive); the row's rule (op | fp << 8) and its operand; words of its extension, if it has one. */
    readonly rows: readonly (readonly [number, number, number, number, number?, number?])[];
  }[];
  /** `table` is an index into `tables`; without one, frame pointers (`jit`) or nothing is known. */
  readonly mappings: readonly {
    readonly start: string;
    readonly end: string;
    readonly bias: string;
    readonly table?: number;
    readonly jit?: boolean;
  }[];
  /** The judge's, not ours. */
  readonly expected: { readonly judge: string; readonly addresses: readonly string[]; readonly end: UnwindEnd };
}

/** Sparse memory: the words that a vector has. */
export class WordMemory implements UnwindMemory {
  low = 0;
  high = 0;
  /** The words that were loaded, in order. */
  readonly loaded = new Map<number, bigint>();
  readonly #words: ReadonlyMap<number, bigint>;

  constructor(words: ReadonlyMap<number, bigint>) {
    this.#words = words;
  }

  load(address: number, wordBytes: 4 | 8): boolean {
    const word = this.#words.get(address);
    if (word === undefined) return false;
    this.loaded.set(address, word);
    this.low = Number(word & 0xffff_ffffn);
    this.high = wordBytes === 8 ? Number(word >> 32n) : 0;
    return true;
  }
}

/** What `unwindStack` takes. */
export interface UnwindVectorInput {
  readonly state: UnwindState;
  readonly memory: WordMemory;
  readonly mappings: readonly UnwindMapping[];
}

/** Makes a vector's inputs; the tables are valid ones that have gaps wherever the vector has no row. */
export function openUnwindVector(vector: UnwindVector): UnwindVectorInput {
  const architecture = unwindArchitectureOf(vector.machine);
  if (architecture === undefined) throw new RangeError(`a vector of machine ${vector.machine}`);
  const state = new UnwindState(architecture);
  for (const [i, value] of vector.registers.entries()) state.registers[i] = Number(value);
  state.pc = Number(vector.pc);
  const tables = vector.tables.map((table) => openTable(vector.machine, table));
  return {
    state,
    memory: new WordMemory(new Map(vector.memory.map(([address, word]) => [Number(address), BigInt(word)]))),
    mappings: vector.mappings.map(({ start, end, bias, table, jit }) => {
      const found = table === undefined ? undefined : tables[table];
      return {
        start: Number(start),
        end: Number(end),
        bias: Number(bias),
        unwind: found === undefined ? { by: jit === true ? 'frame_pointer' : 'none' } : { by: 'table', table: found },
      };
    }),
  };
}

function openTable(machine: number, { flags, base, rows }: UnwindVector['tables'][number]): UnwindTable {
  const pageCount = Math.ceil(Math.max(1, ...rows.map(([, end]) => end)) / 2 ** unwindPageShift);
  const writer = new RowWriter(pageCount);
  const extensions: number[] = [];
  for (const [start, end, rule, operand, first, second] of rows) {
    if (first === undefined || second === undefined) {
      writer.add(start, rule, operand);
    } else {
      writer.add(start, rule, extensions.length / 2);
      extensions.push(first, second);
    }
    writer.add(end, unwindKindInvalid, 0);
  }
  const losses = { cfaExpression: 0, cfaOffset: 0, returnAddress: 0, entries: 0 };
  return new UnwindTable({
    machine,
    flags,
    base: Number(base),
    pageCount,
    rowCount: writer.rowCount,
    words: writer.finish(extensions),
    losses,
  });
}

/** Cuts out of whole tables what a walk over `addresses` touches. */
export function sparseTables(
  mappings: readonly UnwindMapping[],
  addresses: readonly number[],
): Pick<UnwindVector, 'tables' | 'mappings'> {
  const tables: { flags: number; base: string; rows: Map<number, readonly number[]> }[] = [];
  const known = new Map<UnwindRows, number>();
  const used = [...new Set(addresses.map((each) => findUnwindMapping(mappings, each)))].sort((a, b) => a - b);
  const kept: UnwindVector['mappings'][number][] = [];
  for (const index of used) {
    const mapping = mappings[index];
    if (mapping === undefined) continue;
    const { start, end, bias, unwind } = mapping;
    const place = { start: hex(start), end: hex(end), bias: hex(bias) };
    if (unwind.by !== 'table') {
      kept.push(unwind.by === 'frame_pointer' ? { ...place, jit: true } : place);
      continue;
    }
    const { table } = unwind;
    let number = known.get(table);
    if (number === undefined) {
      number = tables.push({ flags: table.flags, base: hex(table.base), rows: new Map() }) - 1;
      known.set(table, number);
    }
    kept.push({ ...place, table: number });
    for (const address of addresses) {
      if (findUnwindMapping(mappings, address) !== index) continue;
      const row = cutRow(table, address - bias - table.base);
      if (row !== undefined) tables[number]?.rows.set(row[0] ?? 0, row);
    }
  }
  return {
    mappings: kept,
    tables: tables.map(({ flags, base, rows }) => ({
      flags,
      base,
      rows: [...rows.values()].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0)) as unknown as [
        number,
        number,
        number,
        number,
      ][],
    })),
  };
}

function cutRow(table: UnwindRows, offset: number): readonly number[] | undefined {
  const element = findUnwindRow(table, offset);
  if (element < 0) return undefined;
  const pageStart = Math.floor(offset / 2 ** unwindPageShift) * 2 ** unwindPageShift;
  const page = pageStart / 2 ** unwindPageShift;
  const isLast = element + 1 === table.word(page * 2) + table.word(page * 2 + 1);
  const word = table.word(element * 2);
  const operand = table.word(element * 2 + 1);
  const start = pageStart + (word & 0xffff);
  const end = isLast ? pageStart + 2 ** unwindPageShift : pageStart + (table.word(element * 2 + 2) & 0xffff);
  const rule = word >>> 16;
  if ((rule & 0xf) !== unwindKindExt) return [start, end, rule, operand];
  return [start, end, rule, 0, table.word(operand * 2), table.word(operand * 2 + 1)];
}

const hex = (value: number): string => `0x${value.toString(16)}`;
