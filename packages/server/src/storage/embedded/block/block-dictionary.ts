import type { ByteReader, ByteWriter } from '../bytes.ts';
import { Dictionary, lineWords, locationWords } from '../dictionary.ts';
import type { WordTable } from '../word-table.ts';
import { readPlainStacks, readStacks } from './block-stacks.ts';

/**
 * What a part's stacks are made of: strings, then functions, mappings and locations column by column, each number as the zigzag difference to the one before
 * modulo 2^32, then label sets word by word. Of locations, how many lines each has, then the columns of heads, then those of lines.
 */
export function writeSymbols(
  { strings, functions, mappings, locations, labelSets }: Dictionary,
  out: ByteWriter,
): void {
  out.varint(strings.length);
  for (const text of strings) out.text(text);
  for (const table of [functions, mappings]) {
    out.varint(table.length);
    const rows = Uint32Array.from({ length: table.length - 1 }, (_, row) => table.start(row + 1));
    writeColumns(table.words, rows, table.width, out);
  }
  out.varint(locations.length);
  const heads = new Uint32Array(locations.length - 1);
  const lines: number[] = [];
  for (let row = 1; row < locations.length; row++) {
    heads[row - 1] = locations.start(row);
    const end = locations.end(row);
    out.varint((end - locations.start(row) - locationWords.count) / lineWords.count);
    for (let at = locations.start(row) + locationWords.count; at < end; at += lineWords.count) lines.push(at);
  }
  writeColumns(locations.words, heads, locationWords.count, out);
  writeColumns(locations.words, lines, lineWords.count, out);
  out.varint(labelSets.length);
  for (let row = 1; row < labelSets.length; row++) {
    out.varint(labelSets.end(row) - labelSets.start(row));
    for (let at = labelSets.start(row); at < labelSets.end(row); at++) out.varint(labelSets.words[at] ?? 0);
  }
}

/** `version`: that of the block file. */
export function readDictionary(
  version: number,
  symbols: ByteReader,
  tree: ByteReader,
): { readonly dictionary: Dictionary; readonly leaves: Uint32Array } {
  const dictionary = new Dictionary();
  const { strings, functions, mappings, locations, labelSets, stacks } = dictionary;
  strings.length = 0;
  for (let rest = symbols.varint(); rest > 0; rest--) strings.push(symbols.text());
  if (version < 3) {
    for (const table of [functions, mappings, locations, labelSets]) readTable(symbols, table);
    return { dictionary, leaves: readPlainStacks(tree, stacks) };
  }
  for (const table of [functions, mappings]) readFixedTable(symbols, table);
  readLocations(symbols, locations);
  readTable(symbols, labelSets);
  return { dictionary, leaves: readStacks(tree, stacks) };
}

/** `starts`: where the words of each row begin. */
function writeColumns(words: Uint32Array, starts: ArrayLike<number>, width: number, out: ByteWriter): void {
  for (let word = 0; word < width; word++) {
    let previous = 0;
    for (let i = 0; i < starts.length; i++) {
      const value = words[(starts[i] ?? 0) + word] ?? 0;
      const difference = (value - previous) | 0;
      out.varint(((difference << 1) ^ (difference >> 31)) >>> 0);
      previous = value;
    }
  }
}

function readColumns(input: ByteReader, rows: number, width: number): Uint32Array {
  input.expectAtLeast(rows * width);
  const words = new Uint32Array(rows * width);
  for (let word = 0; word < width; word++) {
    let value = 0;
    for (let row = 0; row < rows; row++) {
      const difference = input.varint();
      value = (value + ((difference >>> 1) ^ -(difference & 1))) >>> 0;
      words[row * width + word] = value;
    }
  }
  return words;
}

function readFixedTable(input: ByteReader, table: WordTable): void {
  const rows = input.varint() - 1;
  const words = readColumns(input, rows, table.width);
  table.reserve(rows + 1, words.length + table.width);
  for (let row = 0; row < rows; row++)
    table.append(words.subarray(row * table.width, (row + 1) * table.width), table.width);
}

function readLocations(input: ByteReader, table: WordTable): void {
  const rows = input.varint() - 1;
  input.expectAtLeast(rows);
  const counts = new Uint32Array(rows);
  let lines = 0;
  for (let row = 0; row < rows; row++) {
    counts[row] = input.varint();
    lines += counts[row] ?? 0;
  }
  const heads = readColumns(input, rows, locationWords.count);
  const lineRows = readColumns(input, lines, lineWords.count);
  table.reserve(rows + 1, heads.length + lineRows.length);
  let one = new Uint32Array(64);
  for (let row = 0, line = 0; row < rows; row++) {
    const words = (counts[row] ?? 0) * lineWords.count;
    const count = locationWords.count + words;
    if (count > one.length) one = new Uint32Array(count * 2);
    for (let i = 0; i < locationWords.count; i++) one[i] = heads[row * locationWords.count + i] ?? 0;
    for (let i = 0; i < words; i++) one[locationWords.count + i] = lineRows[line++] ?? 0;
    table.append(one, count);
  }
}

function readTable(input: ByteReader, table: WordTable): void {
  let row = new Uint32Array(64);
  for (let rest = input.varint() - 1; rest > 0; rest--) {
    const count = table.width === 0 ? input.varint() : table.width;
    input.expectAtLeast(count);
    if (count > row.length) row = new Uint32Array(count * 2);
    for (let word = 0; word < count; word++) row[word] = input.varint();
    table.append(row, count);
  }
}
