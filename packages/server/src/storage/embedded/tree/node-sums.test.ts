import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CountedSums } from './counted-sums.ts';
import { Marks } from './marks.ts';
import { NodeSums } from './node-sums.ts';

test('marks answer the rows that were added, ascending, each once, before and after they grow', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5000)), fc.array(fc.nat(200_000)), (few, many) => {
      const marks = new Marks();
      marks.reserve(5001);
      for (const row of few) marks.add(row);
      expect([...marks.rows()]).toEqual([...new Set(few)].sort((a, b) => a - b));
      marks.reserve(200_001);
      for (const row of many) marks.add(row);
      const all = new Set([...few, ...many]);
      expect([...marks.rows()]).toEqual([...all].sort((a, b) => a - b));
      expect([...all].every((row) => marks.has(row)) && !marks.has(200_000 + 63)).toBe(true);
      marks.clear();
      expect(marks.rows()).toHaveLength(0);
    }),
  );
});

const tree = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 200 });
/** What one part of a store adds; `perCount`: 0 where values are no multiple of their counts. */
const part = fc.record({
  perCount: fc.constantFrom(0, 3, 3, 7),
  rows: fc.uniqueArray(
    fc.record({ leaf: fc.nat(199), count: fc.integer({ min: 1, max: 9 }), value: fc.nat(9), node: fc.nat(1_000_000) }),
    { selector: ({ leaf }) => leaf, maxLength: 30 },
  ),
});
const question = fc.array(part, { maxLength: 3 });

/** Sums of a part, or those of `add` calls in a test. */
function summed(
  rows: readonly { readonly leaf: number; readonly count: number; readonly value: number }[],
  perCount: number,
) {
  const sums = new CountedSums();
  sums.reserve(200);
  if (rows.length > 0) sums.expect(perCount, () => new Uint32Array());
  for (const { leaf, count, value } of rows) {
    sums.counts[leaf] = count;
    if (sums.isApart) sums.values[leaf] = value;
  }
  return sums;
}

test('totals are those of a plain sum over all nodes, question after question, while the tree grows', () => {
  let apart = 0;
  let together = 0;
  fc.assert(
    fc.property(tree, fc.array(question, { maxLength: 5 }), (parents, questions) => {
      const pairs = new Uint32Array((parents.length + 1) * 2);
      for (const [i, parent] of parents.entries()) pairs[(i + 1) * 2] = parent % (i + 1);
      const sums = new NodeSums();
      for (const [asked, parts] of questions.entries()) {
        // The first questions know a part of the tree.
        const known = Math.max(2, Math.ceil(((parents.length + 1) * (asked + 1)) / questions.length));
        const length = Math.min(known, parents.length + 1);
        const self = { values: new Float64Array(length), counts: new Float64Array(length) };
        sums.clear();
        sums.reserve(length);
        for (const { perCount, rows } of parts) {
          const nodes = new Uint32Array(200);
          for (const { leaf, node, count, value } of rows) {
            const at = (nodes[leaf] = node % length);
            const amount = perCount > 0 ? count * perCount : value;
            self.values[at] = (self.values[at] ?? 0) + amount;
            if (amount > 0) self.counts[at] = (self.counts[at] ?? 0) + count;
          }
          sums.add(
            Uint32Array.from(rows, ({ leaf }) => leaf),
            nodes,
            summed(rows, perCount),
          );
        }
        const used = sums.addUp(pairs);
        const total = { values: self.values.slice(), counts: self.counts.slice() };
        for (const column of [total.values, total.counts])
          for (let node = length - 1; node > 0; node--)
            column[pairs[node * 2] ?? 0] = (column[pairs[node * 2] ?? 0] ?? 0) + (column[node] ?? 0);
        expect([...used]).toEqual(
          [...total.values.keys()].filter((node) => node === 0 || (total.values[node] ?? 0) > 0),
        );
        for (const [found, wanted] of [
          [sums.self, self],
          [sums.total, total],
        ] as const) {
          expect([...found.counts.subarray(0, length)]).toEqual([...wanted.counts]);
          const values = found.isApart ? found.values : found.counts.map((count) => count * found.perCount);
          expect([...values.subarray(0, length)]).toEqual([...wanted.values]);
        }
        if (sums.self.isApart) apart++;
        else if (sums.self.perCount > 0) together++;
        expect([...sums.places].every((place) => place === 0)).toBe(true);
        for (const node of used) sums.places[node] = 7;
      }
    }),
  );
  expect(Math.min(apart, together)).toBeGreaterThan(10);
});

test.each([0, 2])(
  'the memory for many nodes is given back, that for few is kept (%i of the value for each count)',
  (perCount) => {
    const sums = new NodeSums();
    const rows = [
      { leaf: 0, count: 1, value: 2 },
      { leaf: 1, count: 2, value: 4 },
    ];
    const totalOf = (length: number): number => {
      sums.clear();
      sums.reserve(length);
      sums.add(Uint32Array.of(0, 1), Uint32Array.of(1, length - 1), summed(rows, perCount));
      sums.addUp(new Uint32Array(length * 2));
      return (perCount === 0 ? sums.total.values[0] : sums.total.counts[0]) ?? 0;
    };
    const all = perCount === 0 ? 6 : 3;
    expect([totalOf(1000), sums.isLarge]).toEqual([all, false]);
    expect([totalOf(1_000_000), sums.isLarge]).toEqual([all, true]);
    expect([totalOf(1_000_000), totalOf(1000), sums.isLarge]).toEqual([all, all, false]);
  },
);
