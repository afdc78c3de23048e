import type { ByteReader, ByteWriter } from '../bytes.ts';
import { Dictionary, stackWords } from '../dictionary.ts';
import type { WordTable } from '../word-table.ts';

/**
 * The dictionary of a part in two sections. Symbols: strings, then functions, mappings, locations and label sets word by
 * word. Stacks: the difference to the caller's number and the location of each, then the stack of each leaf.
 */
export function writeSymbols(
  { strings, functions, mappings, locations, labelSets }: Dictionary,
  out: ByteWriter,
): void {
  out.varint(strings.length);
  for (const text of strings) out.text(text);
  for (const table of [functions, mappings, locations, labelSets]) {
    out.varint(table.length);
    for (let row = 1; row < table.length; row++) {
      if (table.width === 0) out.varint(table.end(row) - table.start(row));
      for (let at = table.start(row); at < table.end(row); at++) out.varint(table.words[at] ?? 0);
    }
  }
}

export function writeStacks({ stacks }: Dictionary, leaves: Uint32Array, out: ByteWriter): void {
  out.varint(stacks.length);
  for (let stack = 1; stack < stacks.length; stack++) {
    const at = stack * stackWords.count;
    out.varint(stack - (stacks.words[at + stackWords.parent] ?? 0));
  }
  for (let stack = 1; stack < stacks.length; stack++) {
    out.varint(stacks.words[stack * stackWords.count + stackWords.location] ?? 0);
  }
  out.varint(leaves.length);
  for (const stack of leaves) out.varint(stack);
}

export function readDictionary(
  symbols: ByteReader,
  tree: ByteReader,
): { readonly dictionary: Dictionary; readonly leaves: Uint32Array } {
  const dictionary = new Dictionary();
  const { strings, functions, mappings, locations, labelSets, stacks } = dictionary;
  strings.length = 0;
  for (let rest = symbols.varint(); rest > 0; rest--) strings.push(symbols.text());
  for (const table of [functions, mappings, locations, labelSets]) readTable(symbols, table);

  const count = tree.varint();
  tree.expectAtLeast(count - 1);
  const parents = new Uint32Array(count);
  for (let stack = 1; stack < count; stack++) {
    const parent = stack - tree.varint();
    if (parent < 0 || parent >= stack) throw new RangeError(`stack ${stack} has no caller ${parent}`);
    parents[stack] = parent;
  }
  const row = new Uint32Array(stackWords.count);
  for (let stack = 1; stack < count; stack++) {
    row[stackWords.parent] = parents[stack] ?? 0;
    row[stackWords.location] = tree.varint();
    stacks.append(row, stackWords.count);
  }
  const leafCount = tree.varint();
  tree.expectAtLeast(leafCount);
  const leaves = new Uint32Array(leafCount);
  for (let leaf = 0; leaf < leaves.length; leaf++) leaves[leaf] = tree.varint();
  return { dictionary, leaves };
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
