import { expect, test } from 'vitest';
import { betaBinomial, conditionalTest } from './beta-binomial.ts';
import { fQuantile, fUpper } from './f-distribution.ts';
import { incompleteBeta, incompleteBetaInverse } from './incomplete-beta.ts';
import { chiSquareUpper, upperGamma } from './incomplete-gamma.ts';
import { logBeta, logGamma } from './log-gamma.ts';
import { normalQuantile, normalUpper } from './normal.ts';
import { scipyValues } from './scipy-values.ts';
import { tQuantileUpper, tUpper } from './student-t.ts';

const functions: Record<keyof typeof scipyValues, (...args: number[]) => number> = {
  logGamma: (x = 0) => logGamma(x),
  logBeta: (a = 0, b = 0) => logBeta(a, b),
  incompleteBeta: (x = 0, a = 0, b = 0) => incompleteBeta(x, a, b),
  upperGamma: (a = 0, x = 0) => upperGamma(a, x),
  tUpper: (t = 0, df = 0) => tUpper(t, df),
  tQuantileUpper: (p = 0, df = 0) => tQuantileUpper(p, df),
  normalUpper: (z = 0) => normalUpper(z),
  normalQuantile: (p = 0) => normalQuantile(p),
  fUpper: (x = 0, a = 0, b = 0) => fUpper(x, a, b),
  fQuantile: (p = 0, a = 0, b = 0) => fQuantile(p, a, b),
  chiSquareUpper: (x = 0, df = 0) => chiSquareUpper(x, df),
  betaBinomial: (k = 0, n = 0, mean = 0, dispersion = 0) => betaBinomial(k, n, mean, dispersion),
  conditionalTest: (before = 0, after = 0, chance = 0) => conditionalTest(before, after, chance, 1),
};

for (const name of Object.keys(functions) as (keyof typeof scipyValues)[]) {
  test(`${name} agrees with scipy`, () => {
    for (const row of scipyValues[name]) {
      const args = row.slice(0, -1);
      const wanted = row.at(-1) ?? Number.NaN;
      const got = functions[name](...args);
      // Nine digits; below 1e-14 (ln Γ(1), the median of the normal) what counts is that it is nothing.
      expect(Math.abs(got - wanted), `${name}(${args.join(', ')}) = ${got}, not ${wanted}`).toBeLessThanOrEqual(
        1e-9 * Math.abs(wanted) + (wanted === 0 ? 1e-14 : 0),
      );
    }
  });
}

test('the probabilities of a beta-binomial sum to 1', () => {
  for (const dispersion of [1, 1.5, 6, 24]) {
    let sum = 0;
    for (let k = 0; k <= 25; k++) sum += betaBinomial(k, 25, 0.3, dispersion);
    expect(sum).toBeCloseTo(1, 10);
  }
});

test('the inverse of the incomplete beta function is its inverse', () => {
  for (const p of [0.001, 0.3, 0.5, 0.99]) {
    expect(incompleteBeta(incompleteBetaInverse(p, 3.5, 0.5), 3.5, 0.5)).toBeCloseTo(p, 10);
  }
});

test('with ten million degrees of freedom and more, t is normal to six digits', () => {
  expect(tUpper(6, 1e9) / normalUpper(6)).toBeCloseTo(1, 6);
  expect(tQuantileUpper(0.025, 9e6)).toBeCloseTo(tQuantileUpper(0.025, 1e7), 6);
});

test('the exact test refuses what is not rare', () => {
  expect(() => conditionalTest(2000, 3000, 0.5, 1)).toThrow(RangeError);
});
