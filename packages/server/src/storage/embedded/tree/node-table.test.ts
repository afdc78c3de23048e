import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Marks } from './marks.ts';
import { NodeTable } from './node-table.ts';

/** Locations 1 to 5 have these frames: one, none, two, one, one that another location has too. */
const starts = Uint32Array.of(0, 0, 1, 1, 3, 4);
const ends = Uint32Array.of(0, 1, 1, 3, 4, 5);
const frames = Uint32Array.of(7, 8, 7, 9, 7);

const stacks = fc
  .array(fc.tuple(fc.nat(10_000), fc.integer({ min: 1, max: 5 }), fc.boolean()), { maxLength: 80 })
  .map((rows) => {
    const words = new Uint32Array((rows.length + 1) * 2);
    const isWanted = new Uint8Array(rows.length + 1);
    for (const [i, [from, location, wanted]] of rows.entries()) {
      words[i * 2 + 2] = from % (i + 1);
      words[i * 2 + 3] = location;
      isWanted[i + 1] = Number(wanted);
    }
    for (let i = rows.length; i > 0; i--) if (isWanted[i] === 1) isWanted[words[i * 2] ?? 0] = 1;
    return { words, isWanted, length: rows.length + 1 };
  });

function pathOf({ pairs }: NodeTable, node: number): string {
  return node === 0 ? '' : `${pathOf({ pairs } as NodeTable, pairs[node * 2] ?? 0)}/${pairs[node * 2 + 1]}`;
}

test('stacks get the nodes of their paths, in pieces or at once, the wanted ones alone or all, and each path has one', () => {
  fc.assert(
    fc.property(fc.array(stacks, { maxLength: 6 }), fc.nat(80), fc.boolean(), (dictionaries, cut, isAll) => {
      const table = new NodeTable();
      const paths = new Map<string, number>([['', 0]]);
      for (const { words, isWanted, length } of dictionaries) {
        const nodes = new Uint32Array(length);
        const middle = Math.min(1 + cut, length);
        const wanted = new Marks();
        wanted.reserve(length);
        for (const [stack, one] of isWanted.entries()) if (one === 1) wanted.add(stack);
        const range = { words, starts, ends, frames, ...(isAll ? {} : { wanted }) };
        table.follow({ ...range, first: 1, end: middle }, nodes);
        table.follow({ ...range, first: middle, end: length }, nodes);
        const expected = [''];
        for (let stack = 1; stack < length; stack++) {
          const location = words[stack * 2 + 1] ?? 0;
          const own = [...frames.subarray(starts[location], ends[location])].map((frame) => `/${frame}`);
          expected.push((expected[words[stack * 2] ?? 0] ?? '') + own.join(''));
          const isLeftOut = !isAll && isWanted[stack] !== 1;
          expect(isLeftOut ? 0 : pathOf(table, nodes[stack] ?? 0)).toBe(isLeftOut ? nodes[stack] : expected[stack]);
          if (!isLeftOut) paths.set(expected[stack] ?? '', nodes[stack] ?? 0);
        }
      }
      // Nodes between the frames of one location are no stack's.
      for (const [path, node] of paths) expect(pathOf(table, node)).toBe(path);
      const all = Array.from({ length: table.length }, (_, node) => pathOf(table, node));
      expect(new Set(all).size).toBe(all.length);
    }),
  );
});

test('a table that grows by many chunks keeps its nodes', () => {
  const length = 10_000;
  const words = new Uint32Array(length * 2);
  for (let stack = 1; stack < length; stack++) words.set([(stack * 7) % stack, 1 + (stack % 5)], stack * 2);
  const [table, again] = [new NodeTable(), new NodeTable()];
  const [nodes, single] = [new Uint32Array(length), new Uint32Array(length)];
  table.follow({ words, starts, ends, frames, first: 1, end: length }, nodes);
  for (let stack = 1; stack < length; stack++) {
    const location = words[stack * 2 + 1] ?? 0;
    let node = single[words[stack * 2] ?? 0] ?? 0;
    for (const frame of frames.subarray(starts[location], ends[location])) node = again.child(node, frame);
    single[stack] = node;
  }
  expect(nodes).toEqual(single);
});
