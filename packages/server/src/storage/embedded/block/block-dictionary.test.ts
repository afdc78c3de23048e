import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { Dictionary } from '../dictionary.ts';
import { readDictionary, writeSymbols } from './block-dictionary.ts';
import { writeStacks } from './block-stacks.ts';

const word = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 0xffff_ffff }));
const words = (count: number) => fc.array(word, { minLength: count, maxLength: count });
const drawn = fc.record({
  strings: fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { maxLength: 10 }),
  functions: fc.array(words(5), { maxLength: 10 }),
  mappings: fc.array(words(9), { maxLength: 4 }),
  locations: fc.array(
    fc.integer({ min: 0, max: 3 }).chain((lines) => words(4 + lines * 5)),
    { minLength: 1, maxLength: 12 },
  ),
  labelSets: fc.array(words(5), { maxLength: 3 }),
  stacks: fc.array(fc.tuple(fc.nat(10_000), fc.nat(10_000)), { maxLength: 60 }),
  leaves: fc.array(fc.nat(10_000), { maxLength: 30 }),
});

/** The path of a stack: rows of a block are numbered anew, so that this is what tells them apart. */
function pathOf({ stacks }: Dictionary, stack: number): string {
  if (stack === 0) return '';
  return `${pathOf({ stacks } as Dictionary, stacks.words[stack * 2] ?? 0)}/${stacks.words[stack * 2 + 1]}`;
}

function rowsOf(table: Dictionary['locations']): number[][] {
  return Array.from({ length: table.length }, (_, row) =>
    Array.from(table.words.subarray(table.start(row), table.end(row))),
  );
}

test('a dictionary comes back from its sections: tables by number, stacks by path, leaves in their order', () => {
  fc.assert(
    fc.property(drawn, (one) => {
      const dictionary = new Dictionary();
      for (const text of one.strings) dictionary.string(text);
      for (const name of ['functions', 'mappings', 'locations', 'labelSets'] as const)
        for (const row of one[name]) dictionary[name].intern(Uint32Array.from(row), row.length);
      const { stacks, locations } = dictionary;
      for (const [caller, location] of one.stacks)
        stacks.intern(caller % stacks.length, 1 + (location % (locations.length - 1)));
      const leaves = Uint32Array.from(one.leaves, (leaf) => leaf % stacks.length);
      const [symbols, tree] = [new ByteWriter(), new ByteWriter()];
      writeSymbols(dictionary, symbols);
      writeStacks(stacks, locations.length, leaves, tree);
      const read = readDictionary(3, new ByteReader(symbols.take()), new ByteReader(tree.take()));
      expect(read.dictionary.strings).toEqual(dictionary.strings);
      for (const name of ['functions', 'mappings', 'locations', 'labelSets'] as const)
        expect(rowsOf(read.dictionary[name])).toEqual(rowsOf(dictionary[name]));
      const paths = (of: Dictionary) => Array.from({ length: of.stacks.length }, (_, stack) => pathOf(of, stack));
      expect(paths(read.dictionary).sort()).toEqual(paths(dictionary).sort());
      expect([...read.leaves].map((leaf) => pathOf(read.dictionary, leaf))).toEqual(
        [...leaves].map((leaf) => pathOf(dictionary, leaf)),
      );
    }),
  );
});

test('sections that were cut or changed are refused or read as something else, never without end', () => {
  const dictionary = new Dictionary();
  dictionary.locations.intern(Uint32Array.of(0, 1, 0, 0), 4);
  dictionary.locations.intern(Uint32Array.of(0, 2, 0, 0), 4);
  for (let stack = 0; stack < 20; stack++) dictionary.stacks.intern(stack >> 1, 1 + (stack % 2));
  const out = new ByteWriter();
  writeSymbols(dictionary, out);
  const symbols = out.take();
  out.length = 0;
  writeStacks(dictionary.stacks, dictionary.locations.length, Uint32Array.of(3, 7, 19), out);
  const tree = out.take();
  const refusals = new Set<string>();
  for (let at = 0; at < tree.length; at++) {
    for (const changed of [
      tree.slice(0, at),
      ...[1, 64, 128].map((bit) => tree.map((byte, i) => (i === at ? byte ^ bit : byte))),
    ]) {
      try {
        readDictionary(3, new ByteReader(symbols), new ByteReader(changed));
      } catch (error) {
        refusals.add((error as Error).name);
      }
    }
  }
  expect([...refusals]).toEqual(['RangeError']);
});
