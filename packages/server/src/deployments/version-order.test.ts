import { expect, test } from 'vitest';
import { compareByPrecedence, orderVersions } from './version-order.ts';

/** The example of §11.4.4 and around it. */
const ascending =
  `0.9.9 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0
  v1.0.1 1.2.0 1.10.0 2.0.0-0.3.7 2.0.0 9007199254740993.0.0 9007199254740994.0.0`.split(/\s+/u);

test('semantic versions stand in the order of their precedence', () => {
  for (const [i, a] of ascending.entries())
    for (const [j, b] of ascending.entries())
      expect(Math.sign(compareByPrecedence(a, b) ?? Number.NaN)).toBe(Math.sign(i - j));
  expect(compareByPrecedence('1.0.0+a', 'v1.0.0+b')).toBe(0);
  expect(compareByPrecedence('1.0.0', '3f2a9c1d0e4b')).toBeUndefined();
});

test('others stand in the order of their time, also where only one is other', () => {
  const drawn = (...versions: string[]) =>
    orderVersions(versions.map((version, i) => ({ version, startMs: i }))).map(({ version }) => version);
  expect(drawn(...ascending.toReversed())).toEqual(ascending);
  expect(drawn('3f2a', '1b2c', '0a0a')).toEqual(['3f2a', '1b2c', '0a0a']);
  expect(drawn('2.0.0', '1.0.0', 'abc')).toEqual(['2.0.0', '1.0.0', 'abc']);
});
