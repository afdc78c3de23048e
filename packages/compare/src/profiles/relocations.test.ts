import { expect, test } from 'vitest';
import { relocationsOf } from './relocations.ts';

/** Functions drawn as `name file side`, a side being `before`, `after`, `both` or `past` (neither); answers who goes where. */
function relocated(...drawn: readonly string[]): string[] {
  const all = drawn.map((one) => one.split(' '));
  const names = { name: all.map(([name = '']) => name), file: all.map(([, file = '']) => file) };
  const on = (side: string): Uint8Array => Uint8Array.from(all, ([, , at]) => (at === side || at === 'both' ? 1 : 0));
  const places = relocationsOf(names, on('before'), on('after'));
  return Array.from(places, (to, id) => `${id}>${to}`).filter((_, id) => places[id] !== id);
}

test('a function whose file lies in another directory is the same, and is called by its new place', () => {
  expect(relocated('f /srv/1/f.js before', 'f /srv/2/f.js after')).toEqual(['0>1']);
  expect(relocated('f /srv/2/f.js after', 'f /srv/1/f.js before')).toEqual(['1>0']);
  expect(relocated('f C:\\a\\f.js before', 'f D:\\f.js after', 'g /x/f.js before')).toEqual(['0>1']);
});

test('a function without a file is the one of its name that has one', () => {
  expect(relocated('f  before', 'f /b/f.js after')).toEqual(['0>1']);
  expect(relocated('f /b/f.js both', 'f  both', 'g  before')).toEqual(['1>0']);
  expect(relocated('f  before', 'f /a/f.js before', 'f /b/g.js after')).toEqual([]);
  expect(relocated('f  before', 'f /a/f.js past')).toEqual([]);
});

test('nothing is decided where it would not be exact or not be sure', () => {
  expect(relocated('f /a/f.js before', 'f /b/g.js after')).toEqual([]);
  expect(relocated('f /a/f.js both', 'f /b/f.js after')).toEqual([]);
  expect(relocated('f /a/f.js before', 'f /b/f.js both')).toEqual([]);
  expect(relocated('f /a/f.js before', 'f /b/f.js before')).toEqual([]);
  expect(relocated('f /a/f.js before', 'f /b/f.js after', 'f /c/f.js after')).toEqual([]);
  // What only the past has elsewhere is nobody's.
  expect(relocated('f /a/f.js before', 'f /b/f.js after', 'f /c/f.js past')).toEqual(['0>1']);
});
