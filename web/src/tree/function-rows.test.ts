import { expect, test } from 'vitest';
import { functionRows } from './function-rows.ts';
import { nodeAt, treeFromText } from './tree-testing.ts';

const tree = treeFromText(`
    main 1
      walk 2
        walk 3
          visit 4
            walk 5
    other 6
      visit 7`);

const table = (roots: readonly number[]) =>
  functionRows(tree, tree.weights, roots)
    .map((row) => `${row.name} self ${row.self} total ${row.total} samples ${row.samples}`)
    .toSorted();

test('a sample counts once in the total of a function, however deep it recurses', () => {
  expect(table([0])).toEqual([
    'main self 1 total 15 samples 15',
    'other self 6 total 13 samples 13',
    'visit self 11 total 16 samples 16',
    'walk self 10 total 14 samples 14',
  ]);
});

test('a zoom counts only what is below it', () => {
  expect(table([nodeAt(tree, 'main;walk;walk;visit')])).toEqual([
    'visit self 4 total 9 samples 9',
    'walk self 5 total 5 samples 5',
  ]);
});

test('several roots are one table', () => {
  expect(table([nodeAt(tree, 'main;walk;walk'), nodeAt(tree, 'other;visit')])).toEqual([
    'visit self 11 total 16 samples 16',
    'walk self 8 total 12 samples 12',
  ]);
});
