import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { StackTable } from './stack-table.ts';
import { WordTable } from './word-table.ts';

/** Trees over few locations, so that most of their paths are in several of them. */
const tree = fc
  .array(fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 5 }), fc.boolean()), { maxLength: 60 })
  .map((rows) => {
    const parent = new Uint32Array(rows.length + 1);
    const location = new Uint32Array(rows.length + 1);
    const isUsed = new Uint8Array(rows.length + 1);
    for (const [i, [from, own, used]] of rows.entries()) {
      parent[i + 1] = from % (i + 1);
      location[i + 1] = own;
      isUsed[i + 1] = Number(used);
    }
    for (let i = rows.length; i > 0; i--) if (isUsed[i] === 1) isUsed[parent[i] ?? 0] = 1;
    return { length: rows.length + 1, parent, location, isUsed };
  });
const locationOf = Uint32Array.of(0, 11, 12, 13, 14, 15);

function path(words: ArrayLike<number>, row: number): string {
  return row === 0 ? '' : `${path(words, words[row * 2] ?? 0)}/${words[row * 2 + 1]}`;
}

test('each path has one row, whether it came with a tree, by itself, or before there was an index', () => {
  fc.assert(
    fc.property(fc.array(tree, { maxLength: 8 }), fc.nat(1), (trees, mode) => {
      let table = new StackTable();
      const rowOf = new Map<string, number>([['', 0]]);
      for (const one of trees) {
        const location = one.location.map((own, i) => (one.isUsed[i] === 1 ? (locationOf[own] ?? 0) : 0));
        const rows = table.internTree({ ...one, location });
        expect([...rows].filter((row, i) => row !== 0 && one.isUsed[i] !== 1)).toEqual([]);
        for (let i = 1; i < one.length; i++) {
          if (one.isUsed[i] !== 1) continue;
          const caller = rows[one.parent[i] ?? 0] ?? 0;
          const row = rows[i] ?? 0;
          expect([table.words[row * 2], table.words[row * 2 + 1]]).toEqual([caller, location[i]]);
          expect(table.intern(caller, location[i] ?? 0)).toBe(row);
          const own = path(table.words, row);
          expect(rowOf.get(own) ?? row).toBe(row);
          rowOf.set(own, row);
        }
        expect(table.length).toBe(rowOf.size);
        if (mode === 0) continue;
        // As a reader of a log makes it.
        const copy = new StackTable();
        for (let row = 1; row < table.length; row++)
          expect(copy.append(table.words[row * 2] ?? 0, table.words[row * 2 + 1] ?? 0)).toBe(row);
        table = copy;
      }
    }),
  );
});

test.each([0, 2, 3])('many rows at once get the numbers that they get one by one, width %i', (width) => {
  const length = width === 0 ? { minLength: 1, maxLength: 4 } : { minLength: width, maxLength: width };
  const rows = fc.array(fc.array(fc.integer({ min: 0, max: 3 }), length), { maxLength: 80 });
  fc.assert(
    fc.property(fc.array(rows, { maxLength: 5 }), (groups) => {
      const [together, single] = [new WordTable(width), new WordTable(width)];
      for (const group of groups) {
        const offsets = new Uint32Array(group.length + 1);
        for (const [i, row] of group.entries()) offsets[i + 1] = (offsets[i] ?? 0) + row.length;
        const numbers = together.internMany(Uint32Array.from(group.flat()), offsets, group.length);
        expect([...numbers]).toEqual(group.map((row) => single.intern(Uint32Array.from(row), row.length)));
        expect(together.length).toBe(single.length);
      }
    }),
  );
});
