import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTree, profileFromText } from '../testing/index.ts';
import type { Profile } from '../profile.ts';
import { buildLimitedTree } from './build-limited-tree.ts';
import { buildTree } from './build-tree.ts';
import { nodeOfPath, nodeOfPathId, pathIdOf } from './find-node.ts';
import { type LimitedTree, limitTree } from './limit-tree.ts';
import type { Tree } from './tree.ts';

const tree = buildTree(
  profileFromText(`
  main   main  main  main  main  other
  parse  draw  draw  idle  wait
         line  fill
  = 3    50    7     2     1     4
`),
  0,
);

test('what is left out is one exact remainder for each parent', () => {
  const limited = limitTree(tree, { minValue: 7n });
  expect(formatTree(limited)).toEqual([
    '- root (total: 67, self: 0, samples: 6/0)',
    '  - main (total: 63, self: 0, samples: 5/0)',
    '    - draw (total: 57, self: 0, samples: 2/0)',
    '      - fill (total: 7, self: 7, samples: 1/1)',
    '      - line (total: 50, self: 50, samples: 1/1)',
    '    - (more) (total: 6, self: 0, samples: 3/0)',
    '  - (more) (total: 4, self: 0, samples: 1/0)',
  ]);
  expect([...limited.rest]).toEqual([0, 0, 0, 0, 0, 3, 1]);
  expect(formatTree(limitTree(tree, { maxDepth: 1 }))).toEqual([
    '- root (total: 67, self: 0, samples: 6/0)',
    '  - main (total: 63, self: 0, samples: 5/0)',
    '    - (more) (total: 63, self: 0, samples: 5/0)',
    '  - other (total: 4, self: 4, samples: 1/1)',
  ]);
  expect(limitTree(tree, { maxNodes: 3 }).rest.filter((rest) => rest === 0)).toHaveLength(3);
  expect(formatTree(limitTree(tree))).toEqual(formatTree(tree));
});

test('the tree below a node, found by its path or by its path id', () => {
  const node = nodeOfPath(tree, ['main', 'draw']);
  expect(node).toBe(2);
  expect(formatTree(limitTree(tree, {}, node))).toEqual([
    '- draw (total: 57, self: 0, samples: 2/0)',
    '  - fill (total: 7, self: 7, samples: 1/1)',
    '  - line (total: 50, self: 50, samples: 1/1)',
  ]);
  for (let at = 0; at < tree.parent.length; at++) expect(nodeOfPathId(tree, pathIdOf(tree, at))).toBe(at);
  expect(nodeOfPath(tree, [])).toBe(0);
  expect(nodeOfPath(tree, ['main', 'draw', 'line', 'deeper'])).toBeUndefined();
  expect(nodeOfPath(tree, ['other', 'draw'])).toBeUndefined();
  expect(nodeOfPathId(tree, '0123')).toBeUndefined();
  expect(nodeOfPathId(tree, 'ffffffffffffffff')).toBeUndefined();
  // Ids outlive versions: they are in people's bookmarks.
  expect(pathIdOf(tree, node ?? 0)).toBe('86d08b591d891e84');
});

/** Trees of a few functions, deep and wide. */
const profilesFrom = (min: number) =>
  fc
    .array(
      fc.tuple(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 6 }), fc.integer({ min, max: 50 })),
      {
        minLength: 1,
        maxLength: 30,
      },
    )
    .map((stacks): Profile => {
      const depth = Math.max(...stacks.map(([names]) => names.length));
      const lines = Array.from(
        { length: depth },
        (_, level) => `  ${stacks.map(([names]) => (names[level] ?? '').padEnd(4)).join('')}`,
      );
      return profileFromText(`${lines.join('\n')}\n  = ${stacks.map(([, value]) => value).join(' ')}`);
    });

function sumsHold({ parent, total, self, rest }: LimitedTree): boolean {
  const sums = self.slice();
  for (let node = 1; node < parent.length; node++) {
    const up = parent[node] ?? 0;
    sums[up] = (sums[up] ?? 0n) + (total[node] ?? 0n);
  }
  return sums.every((sum, node) => (rest[node] ?? 0) > 0 || sum === total[node]);
}

const trees = profilesFrom(-5).map((profile): Tree => buildTree(profile, 0));

test('whatever the limits, every total is self and children, nothing is lost and no bound is crossed', () => {
  const limits = fc.record(
    { maxDepth: fc.nat(6), maxNodes: fc.integer({ min: 1, max: 20 }), minValue: fc.bigInt({ min: 0n, max: 60n }) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(trees, limits, fc.nat(), (whole, limit, seed) => {
      const first = seed % whole.parent.length;
      const all = limitTree(whole, {}, first);
      const limited = limitTree(whole, limit, first);
      const kept = limited.rest.filter((rest) => rest === 0).length;
      expect(all.rest.every((rest) => rest === 0)).toBe(true);
      expect(kept).toBeLessThanOrEqual(all.parent.length);
      expect(limited.rest.length - kept).toBeLessThanOrEqual(kept);
      expect(kept).toBeLessThanOrEqual(limit.maxNodes ?? Infinity);
      expect(limited.total[0]).toBe(whole.total[first]);
      expect(sumsHold(limited)).toBe(true);
    }),
  );
});

test('the tree that is opened only as far as needed is the whole one, limited', () => {
  fc.assert(
    fc.property(fc.oneof(profilesFrom(0), profilesFrom(-5)), fc.integer({ min: 1, max: 40 }), (profile, maxNodes) => {
      const { frames, frame, ...whole } = limitTree(buildTree(profile, 0), { maxNodes });
      const { frames: openedFrames, frame: openedFrame, ...opened } = buildLimitedTree(profile, 0, maxNodes);
      expect(opened).toEqual(whole);
      expect(Array.from(openedFrame, (row) => openedFrames.name[row])).toEqual(
        Array.from(frame, (row) => frames.name[row]),
      );
    }),
    { numRuns: 500 },
  );
});

test('values below 0, sums beyond doubles and inlined frames are opened exactly, too', () => {
  const huge = profileFromText(`
    main  main       main
    a     b          b
          c(inl)
    = 9223372036854775000 800 5
  `);
  for (const maxNodes of [1, 2, 3, 4, 5, 9]) {
    expect(formatTree(buildLimitedTree(huge, 0, maxNodes))).toEqual(
      formatTree(limitTree(buildTree(huge, 0), { maxNodes })),
    );
  }
  const inlined = profileFromText(`
    main    main        main
    a(inl)  a(inl)      a
    b       c(inl)
    = 3     5           7
  `);
  for (const maxNodes of [1, 2, 3, 4, 5]) {
    expect(formatTree(buildLimitedTree(inlined, 0, maxNodes))).toEqual(
      formatTree(limitTree(buildTree(inlined, 0), { maxNodes })),
    );
  }
});
