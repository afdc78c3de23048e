import { expect, test } from 'vitest';
import { Random } from '../testing/random.ts';
import type { EffectTable } from './effect-table.ts';
import { ascending, moderate, priorDegrees, quantile } from './moderate.ts';
import { fitTrend } from './trend.ts';

function chiSquare(random: Random, df: number): number {
  let sum = 0;
  for (let i = 0; i < df; i++) sum += random.normal() ** 2;
  return sum;
}

test('the degrees of freedom of the prior are found again from the spread of F', () => {
  const random = new Random(3);
  for (const priorDf of [4, 12]) {
    const logs = Array.from({ length: 20_000 }, () =>
      Math.log(chiSquare(random, 5) / 5 / (chiSquare(random, priorDf) / priorDf)),
    ).sort(ascending);
    const found = priorDegrees(quantile(logs, 0.75) - quantile(logs, 0.25), 5);
    expect(found / priorDf).toBeGreaterThan(0.8);
    expect(found / priorDf).toBeLessThan(1.25);
  }
});

test('variances are drawn to the trend; one that runs wild keeps its own, with its own degrees of freedom', () => {
  const random = new Random(4);
  const functions = 400;
  const samples = Float64Array.from({ length: functions }, () => 100 * 1000 ** random.uniform());
  const binomial = samples.map((count) => 4 / count);
  const variance = samples.map((count, f) => ((binomial[f] ?? 0) * (1 + count / 2000) * chiSquare(random, 5)) / 5);
  variance[7] = (binomial.at(7) ?? 0) * 5000;
  const half = samples.map((count) => count / 2);
  const table: EffectTable = {
    list: 'inclusive',
    theta: new Float64Array(functions),
    variance,
    binomial,
    before: half,
    after: half,
  };
  const { variance: drawn, df, dispersionAt } = moderate(table, 5);
  const error = (of: Float64Array): number =>
    of.reduce(
      (sum, value, f) =>
        sum + (f === 7 ? 0 : Math.abs(Math.log(value / ((binomial[f] ?? 0) * (1 + (samples[f] ?? 0) / 2000))))),
      0,
    ) / functions;
  expect(error(drawn)).toBeLessThan(error(variance) / 4);
  expect(drawn[7]).toBe(variance[7]);
  expect(df[7]).toBe(5);
  expect(df[8]).toBeGreaterThan(20);
  expect(dispersionAt(200)).toBeLessThan(1.5);
  expect(dispersionAt(50_000)).toBeGreaterThan(15);
});

test('a trend is a parabola that outliers do not bend and that holds its ends', () => {
  const x = Array.from({ length: 100 }, (_, i) => i / 10);
  const y = x.map((value, i) => 1 + 2 * value - 0.1 * value * value + (i === 50 ? 40 : i % 2 === 0 ? 0.01 : -0.01));
  const trend = fitTrend(x, y);
  expect(trend(5)).toBeCloseTo(8.5, 1);
  expect(trend(100)).toBe(trend(9.9));
  expect(trend(-3)).toBe(trend(0));
});
