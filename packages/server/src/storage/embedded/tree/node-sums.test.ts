import * as fc from 'fast-check';
import { expect, test } from 'vitest';
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
const question = fc.array(fc.record({ leaf: fc.nat(199), value: fc.nat(9), node: fc.nat(1_000_000) }), {
  maxLength: 30,
});

test('totals are those of a plain sum over all nodes, question after question, while the tree grows', () => {
  fc.assert(
    fc.property(tree, fc.array(question, { maxLength: 5 }), (parents, questions) => {
      const pairs = new Uint32Array((parents.length + 1) * 2);
      for (const [i, parent] of parents.entries()) pairs[(i + 1) * 2] = parent % (i + 1);
      const sums = new NodeSums();
      for (const [asked, rows] of questions.entries()) {
        // The first questions know a part of the tree.
        const known = Math.max(2, Math.ceil(((parents.length + 1) * (asked + 1)) / questions.length));
        const length = Math.min(known, parents.length + 1);
        const nodes = new Uint32Array(200);
        const values = new Float64Array(200);
        for (const { leaf, value, node } of rows) {
          nodes[leaf] = node % length;
          values[leaf] = value;
        }
        const counts = values.map((value) => value * 3);
        sums.clear();
        sums.reserve(length);
        sums.add(Uint32Array.from(new Set(rows.map(({ leaf }) => leaf))), nodes, values, counts);
        const used = sums.addUp(pairs);
        const self = new Float64Array(length);
        for (const leaf of new Set(rows.map((row) => row.leaf)))
          self[nodes[leaf] ?? 0] = (self[nodes[leaf] ?? 0] ?? 0) + (values[leaf] ?? 0);
        const total = self.slice();
        for (let node = length - 1; node > 0; node--)
          total[pairs[node * 2] ?? 0] = (total[pairs[node * 2] ?? 0] ?? 0) + (total[node] ?? 0);
        expect([...used]).toEqual([...total.keys()].filter((node) => node === 0 || (total[node] ?? 0) > 0));
        expect([sums.self, sums.total].map((column) => [...column.subarray(0, length)])).toEqual([
          [...self],
          [...total],
        ]);
        expect([...sums.selfSamples.subarray(0, length)]).toEqual(Array.from(self, (value) => value * 3));
        expect([...sums.samples.subarray(0, length)]).toEqual(Array.from(total, (value) => value * 3));
        expect([...sums.places].every((place) => place === 0)).toBe(true);
        for (const node of used) sums.places[node] = 7;
      }
    }),
  );
});

test('the memory for many nodes is given back, that for few is kept, and the next question has its sums', () => {
  const sums = new NodeSums();
  const totalOf = (length: number): number => {
    sums.clear();
    sums.reserve(length);
    sums.add(Uint32Array.of(0, 1), Uint32Array.of(1, length - 1), Float64Array.of(2, 3), Float64Array.of(1, 1));
    sums.addUp(new Uint32Array(length * 2));
    return sums.total[0] ?? 0;
  };
  const columns = ['self', 'selfSamples', 'total', 'samples', 'places'] as const;
  expect(totalOf(1000)).toBe(5);
  for (const column of columns) sums.release(column);
  expect(sums.total.length).toBeGreaterThan(0);
  expect(totalOf(1_000_000)).toBe(5);
  for (const column of columns) sums.release(column);
  expect(columns.map((column) => sums[column].length)).toEqual([0, 0, 0, 0, 0]);
  expect([totalOf(1_000_000), totalOf(1000)]).toEqual([5, 5]);
});
