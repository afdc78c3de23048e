import { expect, test } from 'vitest';
import { findMatches, parsePattern } from './search.ts';
import { nodeAt, treeFromText } from './tree-testing.ts';

const tree = treeFromText(`
    main 1
      parse 2
        parseItem 3
      Render 4
    parse 5`);

function union(text: string, root = 0): string {
  const pattern = parsePattern(text);
  if (!pattern.ok) return pattern.message;
  const { functions, union: sum } = findMatches(tree, tree.weights, [root], pattern.test);
  return `${functions} functions, ${sum.total}`;
}

test('matches below matches are counted once', () => {
  expect(union('parse')).toBe('2 functions, 10');
});

test('lower case finds every case, upper case only itself', () => {
  expect(union('render')).toBe('1 functions, 4');
  expect(union('Parse')).toBe('0 functions, 0');
  expect(union(String.raw`^\S+Item$`)).toBe('1 functions, 3');
});

test('the root is not a function', () => {
  expect(union('all')).toBe('0 functions, 0');
});

test('within a zoom only its samples count, also when the zoom itself matches', () => {
  expect(union('parse', nodeAt(tree, 'main'))).toBe('2 functions, 5');
  expect(union('main', nodeAt(tree, 'main;parse'))).toBe('0 functions, 0');
});

test('the topmost matches are told in the order of rows, so that they can be stepped through', () => {
  const pattern = parsePattern('parse');
  if (!pattern.ok) throw new Error(pattern.message);
  expect(findMatches(tree, tree.weights, [0], pattern.test).nodes).toEqual([
    nodeAt(tree, 'main;parse'),
    nodeAt(tree, 'parse'),
  ]);
});

test('what is no regular expression is told', () => {
  const pattern = parsePattern('(');
  expect(pattern.ok ? '' : pattern.message).toMatch(/group/iu);
});
