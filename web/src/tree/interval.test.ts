import { expect, test } from 'vitest';
import { shareInterval } from './interval.ts';

// Wilson's formula, worked out in Python.
test.each([
  [50, 100, 0.4038315303659956, 0.5961684696340045],
  [0, 10, 0, 0.2775327998628892],
  [10, 10, 0.7224672001371107, 1],
  [3, 1000, 0.0010207838811386, 0.0087830145535032],
])('%d of %d samples', (part, whole, low, high) => {
  const [from, until] = shareInterval(part, whole);
  expect(from).toBeCloseTo(low, 6);
  expect(until).toBeCloseTo(high, 6);
});

test('without samples nothing is known', () => {
  expect(shareInterval(0, 0)).toEqual([0, 1]);
});
