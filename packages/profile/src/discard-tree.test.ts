import { expect, test } from 'vitest';
import { discardTree } from './discard-tree.ts';

test('the columns of a discarded tree are empty', () => {
  const length = 1000;
  const tree = {
    frames: { name: ['root'], file: [''], binary: [''], kind: ['root' as const] },
    parent: new Uint32Array(length),
    frame: new Uint32Array(length),
    total: new BigInt64Array(length),
    self: new BigInt64Array(length),
    samples: new Float64Array(length),
    selfSamples: new Float64Array(length),
  };
  discardTree(tree);
  const { frames: _frames, ...columns } = tree;
  expect(Object.values(columns).map((column) => column.length)).toEqual([0, 0, 0, 0, 0, 0]);
  // A second time, as where two views share columns, nothing happens.
  discardTree(tree);
});
