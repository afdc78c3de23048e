import { wordIn } from '../process-memory.ts';
import type { PythonObjectLayout } from './python-layout.ts';
import type { PythonMemory } from './python-text.ts';

/** An entry of a dict: addresses of objects. */
export interface PythonEntry {
  readonly key: number;
  /** 0 in the names of a class's attributes, whose values each instance has. */
  readonly value: number;
}

/** PyDictObject: ma_keys, ma_values. */
const keysAt = 32;
const valuesAt = 40;
/** Of a table's index: 2^40 bytes, more than there is memory. */
const largestLogarithm = 40;
const largestSize = 2 ** largestLogarithm;

/**
 * The entries of the dict at `dict` in the order in which they were made, deleted ones left out; no more than the first `most`. Undefined where it
 * cannot be read, or is none.
 */
export function readPythonDict(
  memory: PythonMemory,
  layout: PythonObjectLayout,
  dict: number,
  most: number,
): readonly PythonEntry[] | undefined {
  const [keys, values] = [memory.word(dict + keysAt), memory.word(dict + valuesAt)];
  if (keys === undefined || values === undefined) return undefined;
  const entries = readPythonKeys(memory, layout, keys, most);
  if (entries === undefined || values === 0) return entries?.filter(({ value }) => value !== 0);
  const its = memory.bytes(values + layout.valuesAt, 8 * entries.length);
  return its && entries.map(({ key }, i) => ({ key, value: wordIn(its, 8 * i) })).filter(({ value }) => value !== 0);
}

/** All entries of a PyDictKeysObject, those without key or value, too: their place is that of a value elsewhere. */
export function readPythonKeys(
  memory: PythonMemory,
  layout: PythonObjectLayout,
  keys: number,
  most: number,
): readonly PythonEntry[] | undefined {
  const table = layout.keys === 'sized' ? sizedTable(memory, keys) : logarithmicTable(memory, keys);
  if (table === undefined) return undefined;
  const { at, count, entryBytes } = table;
  // In front of the key there may be its hash.
  const keyAt = entryBytes - 16;
  const bytes = memory.bytes(at, Math.min(count, most) * entryBytes);
  if (bytes === undefined) return undefined;
  return Array.from({ length: bytes.length / entryBytes }, (_, i) => {
    const from = i * entryBytes + keyAt;
    return { key: wordIn(bytes, from), value: wordIn(bytes, from + 8) };
  });
}

interface Table {
  readonly at: number;
  readonly count: number;
  readonly entryBytes: 16 | 24;
}

/** To 3.10: dk_refcnt, dk_size, dk_lookup, dk_usable, dk_nentries, dk_indices (Objects/dict-common.h). */
function sizedTable(memory: PythonMemory, keys: number): Table | undefined {
  const [size, count] = [memory.word(keys + 8), memory.word(keys + 32)];
  if (size === undefined || count === undefined || size > largestSize) return undefined;
  const indexBytes = size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffff_ffff ? 4 : 8;
  return { at: keys + 40 + size * indexBytes, count, entryBytes: 24 };
}

/** From 3.11 on: dk_refcnt, dk_log2_size, dk_log2_index_bytes, dk_kind, …, dk_usable, dk_nentries, dk_indices (Include/internal/pycore_dict.h). */
function logarithmicTable(memory: PythonMemory, keys: number): Table | undefined {
  const [head, count] = [memory.bytes(keys + 8, 4), memory.word(keys + 24)];
  const [, logarithm = 0, kind] = head ?? [];
  if (head === undefined || count === undefined || logarithm > largestLogarithm) return undefined;
  // A table whose keys are all of type str has no hashes.
  return { at: keys + 32 + 2 ** logarithm, count, entryBytes: kind === 0 ? 24 : 16 };
}
