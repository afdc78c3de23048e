import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProfileBuilder } from '../build/profile-builder.ts';
import { buildTree } from './build-tree.ts';
import { diffTrees } from './diff.ts';
import type { Amounts, Tree, TreeShape } from './tree.ts';

const stack = fc.record({
  names: fc.array(fc.constantFrom('a', 'b', 'c', 'root', 'é'), { maxLength: 5 }),
  label: fc.constantFrom('a', 'x'),
  value: fc.nat(9),
});
const sides = fc.record({ before: fc.array(stack), after: fc.array(stack), isGrouped: fc.boolean() });

type Stack = typeof stack extends fc.Arbitrary<infer S> ? S : never;

function treeOf(stacks: readonly Stack[], isGrouped: boolean): Tree {
  const builder = new ProfileBuilder({ sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }] });
  for (const { names, label, value } of stacks) {
    let row = 0;
    for (const name of names)
      row = builder.stack(row, builder.location({ lines: [{ function: builder.function({ name }) }] }));
    builder.add(row, builder.labelSet([{ key: 't', text: label }]), [BigInt(value)]);
  }
  return buildTree(builder.build(), 0, isGrouped ? { groupBy: 't' } : {});
}

/** Path of names and kinds, then amounts, of each node. */
function lines(tree: TreeShape, amounts: readonly Amounts[]): [path: string, amounts: string][] {
  const paths: string[] = [];
  return Array.from(tree.parent, (parent, node) => {
    const frame = tree.frame[node] ?? 0;
    paths[node] = `${node === 0 ? '' : paths[parent]}/${tree.frames.name[frame]}:${tree.frames.kind[frame]}`;
    const said = amounts.map((one) =>
      [one.total[node], one.self[node], one.samples[node], one.selfSamples[node]].join(),
    );
    return [paths[node], said.join(' ')];
  });
}

test('the union of two trees has the nodes of both with the amounts of both, in the order of each', () => {
  fc.assert(
    fc.property(sides, ({ before, after, isGrouped }) => {
      const [left, right] = [treeOf(before, isGrouped), treeOf(after, isGrouped)];
      const union = diffTrees(left, right);
      const [ofLeft, ofRight] = [new Map(lines(left, [left])), new Map(lines(right, [right]))];
      const found = lines(union, [union.before, union.after]);
      for (const [path, amounts] of found) {
        expect(amounts).toBe(`${ofLeft.get(path) ?? '0,0,0,0'} ${ofRight.get(path) ?? '0,0,0,0'}`);
      }
      const order = found.map(([path]) => path);
      expect(new Set(order).size).toBe(order.length);
      expect(new Set(order)).toEqual(new Set([...ofLeft.keys(), ...ofRight.keys()]));
      if (isGrouped) return;
      for (const side of [ofLeft, ofRight]) expect(order.filter((path) => side.has(path))).toEqual([...side.keys()]);
    }),
    { numRuns: 300 },
  );
});
