import { expect, test } from 'vitest';
import { tiltOf } from './change.ts';
import { compareFunctions, diffWidths, goneNodes } from './comparison.ts';
import { diffTreeFromText, nodeAt } from './tree-testing.ts';

const tree = diffTreeFromText(`
    main 10 10
      old 30 0
        older 10 0
      grown 50 150
      fresh 0 40`);

test('vanished frames are found once, at their top', () => {
  expect(goneNodes(tree)).toEqual([nodeAt(tree, 'main;old')]);
});

test('widths are shares of a side, and of both together vanished and new frames have some', () => {
  const old = nodeAt(tree, 'main;old');
  const fresh = nodeAt(tree, 'main;fresh');
  expect(diffWidths(tree, 'before')[old]).toBe(0.4);
  expect(diffWidths(tree, 'after')[old]).toBe(0);
  expect(diffWidths(tree, 'both')[old]).toBe(0.2);
  expect(diffWidths(tree, 'both')[fresh]).toBe(0.1);
});

test('a change runs from gone over the same to new', () => {
  expect([tiltOf(3, 0), tiltOf(2, 1), tiltOf(5, 5), tiltOf(1, 2), tiltOf(0, 3), tiltOf(0, 0)]).toEqual([
    -1, -0.5, 0, 0.5, 1, 0,
  ]);
});

test('functions are compared by share, and by cores where both sides know theirs', () => {
  const side = (self: number) => ({ self: String(self), total: String(self), samples: self });
  const functions = [{ name: 'grown', file: '', before: side(50), after: side(150), presence: 'both' as const }];
  const [row] = compareFunctions(functions, 'self', { total: 100n, rate: 1 }, { total: 200n, rate: 2 });
  expect(row?.deltaShare).toBe(0.25);
  expect(row?.deltaRate).toBe(1);
  const [without] = compareFunctions(functions, 'self', { total: 100n, rate: null }, { total: 200n, rate: 2 });
  expect(without?.deltaRate).toBeNull();
});
