import { expect, test } from 'vitest';
import { benjaminiHochberg, rejectionThreshold } from './benjamini-hochberg.ts';
import { lookShare } from './looks.ts';
import { detectableEffect, relevantEffectP, TQuantiles } from './relevant-effect.ts';

test('q-values are those of scipy.stats.false_discovery_control; what was not tested takes no part', () => {
  const q = [...benjaminiHochberg(Float64Array.of(0.01, 0.02, 0.03, 0.04, 0.05, Number.NaN, 0.001, 0.9))];
  expect(q.map((value) => value.toFixed(6))).toEqual([
    '0.035000',
    '0.046667',
    '0.052500',
    '0.056000',
    '0.058333',
    'NaN',
    '0.007000',
    '0.900000',
  ]);
});

test('one more finding needs limit·(findings + 1)/m', () => {
  expect(rejectionThreshold(benjaminiHochberg(Float64Array.of(0.001, 0.01, 0.5, 0.6)), 0.05)).toBeCloseTo(0.0375, 12);
  expect(rejectionThreshold(benjaminiHochberg(Float64Array.of(0.3, 0.4, Number.NaN, 0.5, 0.6)), 0.05)).toBe(0.0125);
  expect(rejectionThreshold(benjaminiHochberg(Float64Array.of(0.001, 0.002)), 0.05)).toBe(0.05);
});

test('the shares of all looks sum to 1', () => {
  let sum = 0;
  for (let look = 1; look <= 1000; look++) sum += lookShare(look);
  expect(sum).toBeCloseTo(1000 / 1001, 12);
  expect(() => lookShare(1.5)).toThrow(/look 1.5/);
});

test('a minimum effect makes p larger, and 0 gives the two-sided t test', () => {
  // scipy.stats.t.sf(2.5, 9) * 2
  expect(relevantEffectP(-0.25, 0, 0.01, 9)).toBeCloseTo(0.033_861_8, 6);
  expect(relevantEffectP(0.25, 0.02, 0.01, 9)).toBeGreaterThan(relevantEffectP(0.25, 0, 0.01, 9));
  expect(relevantEffectP(0.01, 0.02, 0.01, 9)).toBeGreaterThan(0.9);
});

test('without multiplicity and minimum effect the detectable effect is (t₀.₉₇₅ + t₀.₈)·sd', () => {
  // scipy.stats.t.ppf(0.975, 19) + scipy.stats.t.ppf(0.8, 19)
  expect(detectableEffect(0.01, 19, 0, 0.05, new TQuantiles())).toBeCloseTo(0.1 * (2.093_024 + 0.860_951), 5);
});
