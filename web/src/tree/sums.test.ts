import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExactSums, halvesOf, shareOf, sumOf } from './sums.ts';

test('sums of halves are the sums of the values, below zero and far beyond 2^53 as well', () => {
  let large = 0;
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 50 }), (values) => {
      const halves = halvesOf(BigInt64Array.from(values));
      const sums = new ExactSums(1);
      for (let row = 0; row < values.length; row++) sums.add(0, halves, row);
      const sum = values.reduce((all, one) => all + one, 0n);
      if (sum > 2n ** 53n) large++;
      expect(sums.value(0)).toBe(sum);
    }),
  );
  expect(large).toBeGreaterThan(10);
});

test('the lower halves are carried before doubles would round them', () => {
  // 2^22 times 2^32 − 1 is beyond 2^53.
  const column = BigInt64Array.of(2n ** 32n - 1n);
  const sums = new ExactSums(1);
  const halves = halvesOf(column);
  const times = 2 ** 22 + 3;
  for (let i = 0; i < times; i++) sums.add(0, halves, 0);
  expect(sums.value(0)).toBe((2n ** 32n - 1n) * BigInt(times));
});

test('a column may lie anywhere in its buffer', () => {
  const buffer = new BigInt64Array([7n, -3n, 2n ** 60n, 5n]);
  const weights = { total: buffer.subarray(1, 3), self: buffer.subarray(2, 4) };
  const counts = Float64Array.of(1, 2);
  expect(sumOf({ ...weights, samples: counts, selfSamples: counts }, [0, 1])).toEqual({
    total: 2n ** 60n - 3n,
    self: 2n ** 60n + 5n,
    samples: 3,
  });
});

test('shares of huge values do not round to others', () => {
  expect(shareOf(2n ** 60n, 2n ** 62n)).toBe(0.25);
  expect(shareOf(1n, 0n)).toBe(0);
});
