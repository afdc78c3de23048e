import { expect, test } from 'vitest';
import type { SideCounts } from '../counts/side-counts.ts';
import { CountsBuilder } from '../counts/counts-builder.ts';
import { type Analysis, analyse } from '../effects/analyse.ts';
import { isTestable } from '../effects/effect-table.ts';
import { Random } from '../testing/random.ts';
import { testWeights } from './test-weights.ts';

const functions = 2000;
const ids = Uint32Array.from({ length: functions }, (_, id) => id);

/** Five units whose functions have shares as real services do: the f-th has about 1/f² of them; `up`: factor of function 1. */
function side(random: Random, up: number): SideCounts {
  const builder = new CountsBuilder('v', functions, 1 / 99);
  for (let unit = 0; unit < 5; unit++) {
    const self = Float64Array.from(ids, (id) =>
      random.poisson((40_000 / (id + 2) ** 1.5) * (id === 1 ? up : 1) * Math.exp(0.02 * random.normal())),
    );
    const samples = self.reduce((sum, count) => sum + count, 0);
    builder.add(`host${unit}`, { functions: ids, self, inclusive: self, samples, seconds: 60, requests: null });
  }
  return builder.finish();
}

function weightsOf({ contrast, table, moderated }: Analysis): Float64Array {
  return testWeights(contrast, table, (id) => isTestable(table, id), moderated.dispersionAt, 0, 0.05);
}

test('the budget is divided, not made larger; what could never show has a fifth of an even part, what could has several', () => {
  const random = new Random(3);
  const pair = { before: side(random, 1), after: side(random, 1.1) };
  const { inclusive } = analyse(pair, null, [], false, 'host', 'share');
  const weights = weightsOf(inclusive);
  const tested = weights.filter((weight) => !Number.isNaN(weight));
  expect(tested.length).toBeGreaterThan(500);
  const mean = tested.reduce((sum, weight) => sum + weight, 0) / tested.length;
  expect(mean).toBeGreaterThan(0.99);
  expect(mean).toBeLessThanOrEqual(1.000_001);
  expect(weights[1]).toBeGreaterThan(3);
  const samples = (id: number): number => (inclusive.table.before[id] ?? 0) + (inclusive.table.after[id] ?? 0);
  const rarest = ids.filter((id) => !Number.isNaN(weights[id]) && samples(id) < 35);
  expect(rarest.length).toBeGreaterThan(5);
  for (const id of rarest) expect(weights[id]).toBeCloseTo(0.2, 1);
});

test('which side is which, and who changed, moves no weight', () => {
  const random = new Random(4);
  const [one, other] = [side(random, 1), side(random, 2)];
  const there = weightsOf(analyse({ before: one, after: other }, null, [], false, 'host', 'share').inclusive);
  const back = weightsOf(analyse({ before: other, after: one }, null, [], false, 'host', 'share').inclusive);
  const shown = (weights: Float64Array): string[] => Array.from(weights, (weight) => weight.toFixed(2));
  expect(shown(back)).toEqual(shown(there));
});
