import type { http } from '@everflame/protocols';
import { expect, test } from 'vitest';
import { otherName, verdictsOf } from './verdicts.ts';

/** Functions drawn as `name` or `name<name before`. */
function verdicts(...drawn: readonly string[]) {
  const functions = drawn.map((one) => {
    const [name = '', nameBefore = null] = one.split('<');
    return { name, nameBefore } as http.CompareFunction;
  });
  return verdictsOf({ functions } as http.CompareAnswer);
}

test('a function that another line calls is one, under both of its names', () => {
  const moved = verdicts('(anonymous) a.js:21<(anonymous) a.js:20', 'search');
  expect(moved.get('(anonymous) a.js:20')).toBe(moved.get('(anonymous) a.js:21'));
  expect(otherName('(anonymous) a.js:20', moved)).toBe('(anonymous) a.js:21');
  expect(otherName('(anonymous) a.js:21', moved)).toBe('(anonymous) a.js:20');
  expect([otherName('search', moved), otherName('unknown', moved), otherName('search', null)]).toEqual([
    null,
    null,
    null,
  ]);
});

test('a name that is a function of its own now speaks for that one', () => {
  const chain = verdicts('(anonymous) a.js:22<(anonymous) a.js:21', '(anonymous) a.js:21<(anonymous) a.js:20');
  expect(otherName('(anonymous) a.js:21', chain)).toBe('(anonymous) a.js:20');
});
