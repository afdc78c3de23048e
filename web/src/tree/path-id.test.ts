import { expect, test } from 'vitest';
import { formatFocus, parseFocus } from './focus-code.ts';
import { PathIds } from './path-id.ts';
import { nodeAt, treeFromText } from './tree-testing.ts';

const tree = treeFromText(`
    main 1
      work 2
        main 3
    work 4
      main 5`);
const ids = new PathIds(tree);

test('every place has an id of its own that leads back to it', () => {
  const all = Array.from({ length: tree.length }, (_, node) => ids.idOf(node));
  expect(new Set(all).size).toBe(tree.length);
  expect(all.map((id) => ids.nodeOf(id))).toEqual([0, 1, 2, 3, 4, 5]);
});

test('an id stays when the tree around it changes', () => {
  const later = treeFromText(`
    early 1
    main 7
      other 1
      work 2`);
  expect(new PathIds(later).nodeOf(ids.idOf(nodeAt(tree, 'main;work')))).toBe(nodeAt(later, 'main;work'));
});

test('a zoom survives the URL', () => {
  const focus = { node: nodeAt(tree, 'main;work'), rest: 0 };
  expect(parseFocus(formatFocus(focus, ids), ids)).toEqual(focus);
  expect(parseFocus(formatFocus({ node: 0, rest: 3 }, ids), ids)).toEqual({ node: 0, rest: 3 });
  expect(parseFocus(formatFocus({ node: 1, rest: 9, skip: 4 }, ids), ids)).toEqual({ node: 1, rest: 9, skip: 4 });
  expect(formatFocus({ node: 0, rest: 0 }, ids)).toBe('');
});

test('a place that is not there is not found', () => {
  expect(parseFocus('0123456789abcdef', ids)).toBeNull();
  expect(parseFocus('nonsense', ids)).toBeNull();
  expect(parseFocus(`${ids.idOf(1)}.-4`, ids)).toBeNull();
  expect(parseFocus(`${ids.idOf(1)}.4-3`, ids)).toBeNull();
});
