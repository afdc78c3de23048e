import { buildTree, limitTree } from '@everflame/profile';
import { profileFromText } from '@everflame/profile/testing';
import { expect, test } from 'vitest';
import { treeOf } from '../data/tree-columns.ts';
import { isHeldBack, splice } from './splice.ts';
import { nodeAt } from './tree-testing.ts';

const whole = buildTree(
  profileFromText(`
  main   main  main   main  idle
  parse  draw  draw   tick
         line  point
  = 30   1     2      3     40
`),
  0,
);

test('an exact part in place of a remainder makes the tree whole again', () => {
  const limited = treeOf(limitTree(whole, { maxNodes: 4 }));
  expect(isHeldBack(limited, 0)).toBe(true);
  const main = nodeAt(limited, 'main');
  const exact = treeOf(limitTree(whole, {}, nodeAt(treeOf(whole), 'main')));
  const { frames: _, ...mended } = splice(limited, main, exact);
  const { frames: __, ...expected } = treeOf(whole);
  expect(isHeldBack({ ...mended, frames: limited.frames }, 0)).toBe(false);
  expect(mended.weights).toEqual(expected.weights);
  expect(mended.parent).toEqual(expected.parent);
  expect(mended.end).toEqual(expected.end);
});

test('the root can be replaced as well', () => {
  const limited = treeOf(limitTree(whole, { maxNodes: 2 }));
  const mended = splice(limited, 0, treeOf(whole));
  expect(mended.weights).toEqual(treeOf(whole).weights);
  expect(mended.parent).toEqual(whole.parent);
  expect(Array.from(mended.frame, (row) => mended.frames.name[row]).slice(1)).toEqual(
    Array.from(whole.frame, (row) => whole.frames.name[row]).slice(1),
  );
});
