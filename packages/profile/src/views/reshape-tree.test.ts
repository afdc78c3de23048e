import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTree, profileFromText } from '../testing/index.ts';
import { buildTree } from './build-tree.ts';
import { callersOf } from './callers.ts';
import { functionsOfTree } from './functions.ts';
import { calleesTree, callersTree, invertTree, reshapeTree } from './reshape-tree.ts';
import type { Tree } from './tree.ts';

const drawn = buildTree(
  profileFromText(`
  main@/bin/app   main@/bin/app         main@/bin/app         run@/bin/app
  walk@/bin/app   walk@/bin/app         read@/lib/libc.so.6   walk@/bin/app
  walk@/bin/app   read@/lib/libc.so.6   sys@/lib/libc.so.6
  = 1             2                     4                     8
`),
  0,
);
const plain = { by: 'function', collapseRecursion: false, groupLibraries: false } as const;
const lines = (tree: Tree) => formatTree(tree).map((line) => line.replace(/, samples.*\)/, ')'));

test('direct recursion becomes one frame', () => {
  expect(lines(reshapeTree(drawn, { ...plain, collapseRecursion: true }))).toEqual([
    '- root (total: 15, self: 0)',
    '  - main (total: 7, self: 0)',
    '    - read (total: 4, self: 0)',
    '      - sys (total: 4, self: 4)',
    '    - walk (total: 3, self: 1)',
    '      - read (total: 2, self: 2)',
    '  - run (total: 8, self: 0)',
    '    - walk (total: 8, self: 8)',
  ]);
});

test('libraries become one frame each, the program stays as it is', () => {
  expect(lines(reshapeTree(drawn, { ...plain, groupLibraries: true }))).toEqual([
    '- root (total: 15, self: 0)',
    '  - main (total: 7, self: 0)',
    '    - libc.so.6 (total: 4, self: 4)',
    '    - walk (total: 3, self: 0)',
    '      - libc.so.6 (total: 2, self: 2)',
    '      - walk (total: 1, self: 1)',
    '  - run (total: 8, self: 0)',
    '    - walk (total: 8, self: 8)',
  ]);
});

test('by binary and by file', () => {
  expect(lines(reshapeTree(drawn, { ...plain, by: 'binary' }))).toEqual([
    '- root (total: 15, self: 0)',
    '  - app (total: 15, self: 9)',
    '    - libc.so.6 (total: 6, self: 6)',
  ]);
  expect(lines(reshapeTree(drawn, { ...plain, by: 'file' }))).toEqual([
    '- root (total: 15, self: 0)',
    '  - (no source file) (total: 15, self: 15)',
  ]);
});

test('inverted, leaves come first and their callers below; the sum of each leaf is its self value', () => {
  const inverted = invertTree(drawn);
  expect(lines(inverted)).toEqual([
    '- root (total: 15, self: 0)',
    '  - read (total: 2, self: 0)',
    '    - walk (total: 2, self: 0)',
    '      - main (total: 2, self: 2)',
    '  - sys (total: 4, self: 0)',
    '    - read (total: 4, self: 0)',
    '      - main (total: 4, self: 4)',
    '  - walk (total: 9, self: 0)',
    '    - run (total: 8, self: 8)',
    '    - walk (total: 1, self: 0)',
    '      - main (total: 1, self: 1)',
  ]);
});

test('inverted, the values of a label stay the first level', () => {
  const tree = buildTree(
    profileFromText(`
    main  main
    walk  walk
    = 1   2
    ~ thread=a  thread=b
  `),
    0,
    { groupBy: 'thread' },
  );
  expect(lines(invertTree(tree))).toEqual([
    '- root (total: 3, self: 0)',
    '  - a (total: 1, self: 0)',
    '    - walk (total: 1, self: 0)',
    '      - main (total: 1, self: 1)',
    '  - b (total: 2, self: 0)',
    '    - walk (total: 2, self: 0)',
    '      - main (total: 2, self: 2)',
  ]);
});

test('callees and callers of a function are trees of its outermost calls', () => {
  expect(lines(calleesTree(drawn, 'walk'))).toEqual([
    '- root (total: 11, self: 0)',
    '  - walk (total: 11, self: 8)',
    '    - read (total: 2, self: 2)',
    '    - walk (total: 1, self: 1)',
  ]);
  expect(lines(callersTree(drawn, 'walk'))).toEqual([
    '- root (total: 11, self: 0)',
    '  - walk (total: 11, self: 0)',
    '    - main (total: 3, self: 3)',
    '    - run (total: 8, self: 8)',
  ]);
  expect(lines(calleesTree(drawn, 'nobody'))).toEqual(['- root (total: 0, self: 0)']);
});

const names = ['a', 'b', 'c', 'd'];
const profiles = fc
  .array(fc.tuple(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 6 }), fc.nat({ max: 1000 })), {
    minLength: 1,
    maxLength: 12,
  })
  .map((stacks) => {
    const depth = Math.max(...stacks.map(([stack]) => stack.length));
    const rows = Array.from({ length: depth }, (_, i) =>
      stacks.map(([stack]) => (stack[i] ?? '').padEnd(4)).join('  '),
    );
    // A drawing's first line says where columns begin, so every stack has a first frame.
    return profileFromText(`${rows.join('\n')}\n= ${stacks.map(([, value]) => String(value).padEnd(4)).join('  ')}`);
  });

test('whatever the tree, no value is lost, totals are self and children, and functions keep their totals', () => {
  fc.assert(
    fc.property(profiles, fc.constantFrom(...names), (profile, name) => {
      const tree = buildTree(profile, 0);
      const known = functionsOfTree(tree);
      const row = known.frames.name.indexOf(name);
      for (const shaped of [invertTree(tree), reshapeTree(tree, { ...plain, collapseRecursion: true })]) {
        expect(shaped.total[0]).toBe(tree.total[0]);
        const functions = functionsOfTree(shaped);
        for (const [at, one] of known.frames.name.entries())
          expect(functions.total[functions.frames.name.indexOf(one)]).toBe(known.total[at]);
      }
      for (const neighbours of [calleesTree(tree, name), callersTree(tree, name)]) {
        expect(neighbours.total[0]).toBe(row < 0 ? 0n : known.total[row]);
        const sums = neighbours.self.slice();
        for (let node = sums.length - 1; node > 0; node--) {
          const up = neighbours.parent[node] ?? 0;
          sums[up] = (sums[up] ?? 0n) + (sums[node] ?? 0n);
        }
        expect(sums).toEqual(neighbours.total);
      }
      expect(callersOf(tree, name)?.function.total).toBe(row < 0 ? undefined : known.total[row]);
    }),
  );
});
