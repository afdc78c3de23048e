import { expect, test } from 'vitest';
import { checkSelector, joinQuery, labelIn, splitQuery, withLabel, withoutLabel } from './query-text.ts';

test('a query is taken apart and put together again', () => {
  const query = 'memory:inuse_space:bytes:space:bytes{a="{b}"}';
  expect(splitQuery(query)).toEqual({ type: 'memory:inuse_space:bytes:space:bytes', selector: '{a="{b}"}' });
  expect(joinQuery(splitQuery(query))).toBe(query);
  expect(joinQuery({ type: 't', selector: '{ }' })).toBe('t');
});

test('a label is set in place of what the selector said about it', () => {
  expect(withLabel('', 'a', 'x"y')).toBe(String.raw`{a="x\"y"}`);
  expect(withLabel('{a=~"b.*", c="d"}', 'a', 'x')).toBe('{c="d", a="x"}');
  expect(withoutLabel('{a="b"}', 'a')).toBe('');
  expect(labelIn('{a="b", c=~"d"}', 'a')).toBe('b');
  expect(labelIn('{a=~"b"}', 'a')).toBe('');
});

test('an error says what and where', () => {
  expect(checkSelector('{a="b"}')).toMatchObject({ ok: true });
  expect(checkSelector('')).toEqual({ ok: true });
  expect(checkSelector('api')).toMatchObject({ ok: false, offset: 0 });
  expect(checkSelector('{a="b" c="d"}')).toMatchObject({ ok: false, offset: 7 });
});
