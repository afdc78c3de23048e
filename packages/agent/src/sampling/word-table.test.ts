import { array, assert, constantFrom, integer, oneof, property } from 'fast-check';
import { expect, test } from 'vitest';

import { WordTable } from './word-table.ts';

test('equal sequences get one row, others another, whatever their number and length', () => {
  const sequence = array(oneof(constantFrom(0, 1, 2), integer({ min: 0, max: 0xffffffff })), {
    maxLength: 6,
  });
  assert(
    property(array(sequence, { maxLength: 600 }), (sequences) => {
      const table = new WordTable();
      const rows = new Map<string, number>();
      for (const words of sequences) {
        const row = table.intern(Uint32Array.from(words), words.length);
        const key = words.join();
        expect(row).toBe(rows.get(key) ?? rows.size);
        rows.set(key, row);
      }
      expect(table.length).toBe(rows.size);
      for (const [key, row] of rows) expect(table.row(row).join()).toBe(key);
    }),
    { numRuns: 50 },
  );
});

test('a sequence is found by what it is, and not taken in', () => {
  const table = new WordTable();
  expect(table.find(Uint32Array.of(1, 2), 2)).toBeUndefined();
  table.intern(Uint32Array.of(), 0);
  table.intern(Uint32Array.of(1, 2), 2);
  expect(table.find(Uint32Array.of(1, 2), 2)).toBe(1);
  expect(table.find(Uint32Array.of(1, 2), 1)).toBeUndefined();
  expect(table.find(Uint32Array.of(1, 2), 0)).toBe(0);
  expect(table.length).toBe(2);
});

test('only the counted words are looked at', () => {
  const table = new WordTable();
  expect(table.intern(Uint32Array.of(1, 2, 3), 2)).toBe(0);
  expect(table.intern(Uint32Array.of(1, 2, 4), 2)).toBe(0);
  expect(table.intern(Uint32Array.of(1, 2, 4), 3)).toBe(1);
});

test('100,000 long sequences keep their rows while the table grows', () => {
  const table = new WordTable();
  const words = new Uint32Array(40);
  for (let i = 0; i < 100_000; i++) {
    words[39] = i;
    expect(table.intern(words, 40)).toBe(i);
  }
  words[39] = 77_777;
  expect(table.intern(words, 40)).toBe(77_777);
});
