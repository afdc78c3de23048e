import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Focus, layOut, lightestChildren, membersOf, restCount, wholeTree } from './layout.ts';
import { widthsOf } from './order.ts';
import { sumOf } from './sums.ts';
import { nodeAt, treeFromText } from './tree-testing.ts';

const randomTree = fc
  .array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 3 }), fc.oneof(fc.constant(0), fc.nat({ max: 100 }))), {
    maxLength: 60,
  })
  .map((lines) => {
    let depth = -1;
    const text = lines.map(([name, up, self]) => {
      depth = Math.max(Math.min(depth + 1, depth + 1 - up), 0);
      return `    ${'  '.repeat(depth)}f${name} ${self}`;
    });
    return treeFromText(text.join('\n'));
  });

const drawing = `
    main 10
      work 50
        inner 30
      tiny1 1
      tiny2 2
      tiny3 3
    idle 4`;

function prepared(text: string) {
  const plain = treeFromText(text);
  const widths = widthsOf(plain.weights);
  return { tree: plain, widths };
}

function drawn(text: string, widthPx: number, focus = wholeTree): string[] {
  const { tree, widths } = prepared(text);
  const layout = layOut(tree, widths, focus, widthPx);
  return layout.rows.map((row) => {
    const name = tree.frames.name[tree.frame[row.node] ?? 0] ?? '';
    const label = row.rest > 0 ? `${row.rest} below ${name}` : name;
    return `${label} ${row.width}${row.isAncestor ? ' on the way' : ''}`;
  });
}

test('every frame is drawn when all are a pixel wide', () => {
  expect(drawn(drawing, 1000)).toEqual([
    'all 100',
    'main 96',
    'idle 4',
    'work 80',
    'tiny3 3',
    'tiny2 2',
    'tiny1 1',
    'inner 30',
  ]);
});

test('what is narrower than a pixel becomes one remainder for each parent', () => {
  expect(drawn(drawing, 40)).toEqual([
    'all 100',
    'main 96',
    'idle 4',
    'work 80',
    'tiny3 3',
    '2 below main 3',
    'inner 30',
  ]);
});

test('zooming draws the way to the focus as wide as the focus', () => {
  const { tree } = prepared(drawing);
  const node = nodeAt(tree, 'main;work');
  expect(drawn(drawing, 100, { node, rest: 0 })).toEqual([
    'all 80 on the way',
    'main 80 on the way',
    'work 80',
    'inner 30',
  ]);
});

test('an opened remainder shows its members and nothing else', () => {
  const { tree } = prepared(drawing);
  const node = nodeAt(tree, 'main');
  expect(drawn(drawing, 100, { node, rest: 2 })).toEqual([
    'all 3 on the way',
    'main 3 on the way',
    '2 below main 3',
    'tiny2 2',
    'tiny1 1',
  ]);
});

test('an opened remainder that is still too crowded falls into parts, each of which opens further', () => {
  const { tree, widths } = prepared(Array.from({ length: 3000 }, (_, index) => `    f${index} 1`).join('\n'));
  const seen = new Set<number>();
  const open = (focus: Focus): void => {
    const layout = layOut(tree, widths, focus, 50);
    const below = layout.rows.slice(layout.focusRow + 1);
    for (const row of below) if (row.rest === 0) seen.add(row.node);
    const crowded = below.filter((row) => row.rest > 0);
    // Ends, since each holds less than what it came from.
    expect(crowded.every((row) => restCount(row) < (restCount(focus) || 3001))).toBe(true);
    crowded.forEach(open);
  };
  open(wholeTree);
  expect(seen.size).toBe(3000);
});

test('the lightest children are told apart by value and keep their order', () => {
  const { tree, widths } = prepared(drawing);
  const names = lightestChildren(tree, widths, nodeAt(tree, 'main'), 2).map(
    (node) => tree.frames.name[tree.frame[node] ?? 0],
  );
  expect(names).toEqual(['tiny1', 'tiny2']);
});

test('at every zoom and width, what is drawn below a frame is exactly its value less its self value', () => {
  fc.assert(
    fc.property(randomTree, fc.integer({ min: 1, max: 600 }), fc.nat(), (plain, widthPx, seed) => {
      const widths = widthsOf(plain.weights);
      const tree = plain;
      const layout = layOut(tree, widths, { node: seed % tree.length, rest: 0 }, widthPx);
      const below = layout.rows.map(() => 0n);
      for (const [index, row] of layout.rows.entries()) {
        if (index === 0 || row.isAncestor) continue;
        below[row.parent] = (below[row.parent] ?? 0n) + sumOf(tree.weights, membersOf(tree, widths, row)).total;
      }
      for (const [index, row] of layout.rows.entries()) {
        if (row.isAncestor || row.rest > 0) continue;
        const total = tree.weights.total[row.node] ?? 0n;
        const self = tree.weights.self[row.node] ?? 0n;
        expect(below[index]).toBe(total - self);
      }
    }),
  );
});
