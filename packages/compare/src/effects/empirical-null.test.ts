import { expect, test } from 'vitest';
import { Random } from '../testing/random.ts';
import type { EffectTable } from './effect-table.ts';
import { wanderingOf } from './empirical-null.ts';
import type { Moderated } from './moderate.ts';

/** Functions of the same samples whose effects have an sd of 0.05 by their units, and of `wanderingSd` in common time; all moved by `common`. */
function drawn(functions: number, wanderingSd: number, common = 0): readonly [EffectTable, Moderated] {
  const random = new Random(5);
  const variance = new Float64Array(functions).fill(0.05 ** 2);
  const table: EffectTable = {
    list: 'inclusive',
    theta: variance.map(() => common + 0.05 * random.normal() + wanderingSd * random.normal()),
    variance,
    binomial: new Float64Array(functions).fill(0.04 ** 2),
    before: new Float64Array(functions).fill(1000),
    after: new Float64Array(functions).fill(1000),
  };
  const df = new Float64Array(functions).fill(50);
  const draw: Moderated['draw'] = (own) => ({ variance: own, df: 50 });
  return [table, { variance, df, draw, dispersionAt: () => 1, priorDf: 45 }];
}

test('what typical functions wandered by beyond their units is found again', () => {
  for (const sd of [0.05, 0.2]) {
    const found = Math.sqrt(wanderingOf(...drawn(2000, sd), false));
    expect(found / sd).toBeGreaterThan(0.85);
    expect(found / sd).toBeLessThan(1.15);
  }
});

test('where units show all of the noise next to nothing is added, and nothing is where there are too few functions', () => {
  expect(Math.sqrt(wanderingOf(...drawn(2000, 0), false))).toBeLessThan(0.02);
  expect(wanderingOf(...drawn(19, 0.5), false)).toBe(0);
});

test('a third of functions that changed much widen it little', () => {
  const [table, moderated] = drawn(2000, 0.1);
  for (let f = 0; f < 2000; f += 3) table.theta[f] = (table.theta[f] ?? 0) + 3;
  expect(Math.sqrt(wanderingOf(table, moderated, false))).toBeLessThan(0.3);
});

test('what all functions have in common is wandering of shares only', () => {
  expect(Math.sqrt(wanderingOf(...drawn(2000, 0.05, 0.3), true))).toBeLessThan(0.06);
  expect(Math.sqrt(wanderingOf(...drawn(2000, 0.05, 0.3), false))).toBeGreaterThan(0.2);
});
