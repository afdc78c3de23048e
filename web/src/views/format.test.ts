import { expect, test } from 'vitest';
import { ago, amount, cores, coresChange, exactAmount, percent, points, ratioChange, short, span } from './format.ts';

test('numbers have three digits and no exponents', () => {
  expect([0, 0.00123, 0.5, 1.005, 12.34, 123.4, 12_345].map(short)).toEqual([
    '0',
    '0.00123',
    '0.5',
    '1',
    '12.3',
    '123',
    '12,345',
  ]);
});

test('a share that is not nothing does not read as nothing', () => {
  expect([0, 0.00001, 0.0123, 0.5, 1].map(percent)).toEqual(['0 %', '<0.01 %', '1.23 %', '50.0 %', '100.0 %']);
});

test('differences carry their sign', () => {
  expect([0.0123, -0.5, 0.00001].map(points)).toEqual(['+1.23', '−50.00', '±0.00']);
  expect([ratioChange(2, 3), ratioChange(4, 3), ratioChange(0, 1)]).toEqual(['+50.0 %', '−25.0 %', 'new']);
  expect([0.25, -1.5, 0.0001].map(coresChange)).toEqual(['+0.25', '−1.5', '±0']);
});

test('values are told in the unit of their profile type', () => {
  expect(amount(1_500_000_000n, 'nanoseconds')).toBe('1.5 s');
  expect(amount(999_900_000n, 'nanoseconds')).toBe('1 s');
  expect(amount(90_000_000_000n, 'nanoseconds')).toBe('1.5 min');
  expect(amount(3n * 1024n ** 2n, 'bytes')).toBe('3 MiB');
  expect(amount(1234n, 'count')).toBe('1,234');
  expect(exactAmount(9_223_372_036_854_775_807n, 'nanoseconds')).toBe('9,223,372,036,854,775,807 nanoseconds');
});

test('cores and spans read like words', () => {
  expect([1, 0.5, 0.0001].map(cores)).toEqual(['1 core', '0.5 cores', '<0.001 cores']);
  expect([0, 59_000, 260_000, 90_000_000].map(span)).toEqual(['0 s', '59 s', '4 min 20 s', '1 d 1 h']);
  expect(ago(0, 12_000)).toBe('12 s ago');
  expect(ago(0, 200_000)).toBe('3 min ago');
});
