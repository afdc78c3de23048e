import { buildTree } from '@everflame/profile';
import { profileFromText } from '@everflame/profile/testing';
import { expect, test } from 'vitest';
import { treeOf } from '../data/tree-columns.ts';
import { namingOf } from './naming.ts';

test('names by binary, and stacks that were cut', () => {
  const tree = treeOf(
    buildTree(
      profileFromText(`
      [stack cut: gap]@everflame   main@/bin/app           main@/bin/app
      work@/bin/app                [app+0x1234]@/bin/app   malloc@/lib/libc.so.6
      = 10                         30                      60
    `),
      0,
    ),
  );
  expect(namingOf(tree)).toEqual({
    binaries: [
      { binary: '/lib/libc.so.6', value: 60n, named: 1 },
      { binary: '/bin/app', value: 40n, named: 0.25 },
    ],
    complete: 0.9,
  });
});
