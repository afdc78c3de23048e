import { expect, test } from 'vitest';
import { compare } from './compare.ts';
import { analyse } from './effects/analyse.ts';
import { calibrate } from './testing/calibration.ts';
import { SimulatedFleet } from './testing/simulated-fleet.ts';

// A small, seeded version of `npm run bench:compare`. Bounds are those of the benchmark where the number of repeats supports them.

test.each([
  ['plain', 6, 'none', 12],
  ['plain', 20, 'none', 12],
  ['plain', 100, 'none', 4],
  ['hard', 6, 'past', 12],
  ['hard', 20, 'past', 8],
] as const)(
  '%s fleet of %i hosts, drift known by %s: 95 percent intervals miss in 3 to 7 and FDR is kept',
  (model, hosts, drift, repeats) => {
    const got = calibrate({ model, hosts, drift, repeats, seed: 77 });
    expect(got.falsePositiveRate).toBeGreaterThanOrEqual(0.03);
    expect(got.falsePositiveRate).toBeLessThanOrEqual(0.07);
    expect(got.falseDiscoveryRate).toBeLessThanOrEqual(0.1);
    expect(got.power).toBeGreaterThanOrEqual(model === 'plain' && hosts >= 20 ? 0.8 : 0);
  },
);

test.each(['past', 'controls'] as const)('a shock of sd 5 percent that hits all hosts is no finding: %s', (drift) => {
  const got = calibrate({ model: 'plain', hosts: 20, drift, repeats: 8, shockSd: 0.05, seed: 77 });
  expect(got.falsePositiveRate).toBeLessThanOrEqual(0.07);
  expect(got.falseDiscoveryRate).toBeLessThanOrEqual(0.1);
});

test('without past and controls the same shock is seen in how far functions wander; what units alone show would miss it', () => {
  const got = calibrate({ model: 'plain', hosts: 20, drift: 'none', repeats: 8, shockSd: 0.05, seed: 77 });
  expect(got.falsePositiveRate).toBeLessThanOrEqual(0.07);
  expect(got.falseDiscoveryRate).toBeLessThanOrEqual(0.1);
  const fleet = new SimulatedFleet({ model: 'plain', hosts: 20, seed: 77, shockSd: 0.05 });
  const pair = { before: fleet.draw({ version: 'v1', window: 1 }), after: fleet.draw({ version: 'v1', window: 2 }) };
  const { inclusive } = analyse(pair, null, [], false, 'host', 'share');
  expect(inclusive.wanderingSd).toBeGreaterThan(0.05);
  expect(inclusive.wanderingSd).toBeLessThan(0.1);
  const misses = [...inclusive.theta].filter(
    (theta, f) => Math.abs(theta) > 2.1 * Math.sqrt(inclusive.moderated.variance[f] ?? 0),
  );
  expect(misses.length / inclusive.theta.length).toBeGreaterThan(0.15);
});

test('of functions that do not wander together nothing is taken for wandering', () => {
  const sds = Array.from({ length: 6 }, (_, seed) => {
    const fleet = new SimulatedFleet({ model: 'plain', hosts: 20, seed });
    const pair = { before: fleet.draw({ version: 'v1', window: 1 }), after: fleet.draw({ version: 'v1', window: 2 }) };
    return analyse(pair, null, [], false, 'host', 'share').inclusive.wanderingSd;
  });
  expect(Math.max(...sds)).toBeLessThan(0.02);
});

test('a change of the smallest detectable size is found about four times in five', () => {
  let found = 0;
  let tried = 0;
  for (let seed = 0; seed < 6; seed++) {
    const fleet = new SimulatedFleet({ model: 'plain', hosts: 20, seed });
    const draw = (factor: ReadonlyMap<number, number>): ReturnType<typeof compare> =>
      compare({
        before: fleet.draw({ version: 'v1', window: 1 }),
        after: fleet.draw({ version: 'v2', window: 2, factor }),
        functions: fleet.names,
        kind: 'host',
      });
    const chosen = fleet.leaves.filter((id) => id % 20 === 0);
    const first = draw(new Map());
    const factors = new Map(chosen.map((id) => [id, 1 + (first.functions.find((one) => one.id === id)?.mde ?? 0)]));
    for (const one of draw(factors).functions) {
      if (!factors.has(one.id)) continue;
      tried++;
      if (one.verdict === 'regressed') found++;
    }
  }
  expect(tried).toBeGreaterThan(150);
  // More of them than of one at a time: each finding makes the next threshold milder (BH).
  expect(found / tried).toBeGreaterThan(0.75);
});
