import { expect, test } from 'vitest';
import { Random } from '../testing/random.ts';
import type { MinuteSeries } from './change-point.ts';
import { regressionsOverTime } from './regressions-over-time.ts';

const DAY = 1440;

interface Shape {
  readonly rate: number;
  readonly minutes: number;
  /** Correlation of the noise from minute to minute. */
  readonly memory?: number;
  readonly cycle?: number;
  /** Factor on the rate at a minute. */
  readonly factor?: (minute: number) => number;
}

/** A function of a service with 20,000 samples a minute: Poisson around an autocorrelated rate (sd 5 %). */
function drawn(random: Random, { rate, minutes, memory = 0.5, cycle = 0, factor = () => 1 }: Shape): MinuteSeries {
  let noise = 0;
  const counts = Float64Array.from({ length: minutes }, (_, minute) => {
    noise = memory * noise + 0.05 * Math.sqrt(1 - memory * memory) * random.normal();
    const usual = 1 + cycle * Math.sin((2 * Math.PI * minute) / DAY);
    return random.poisson(20_000 * rate * usual * Math.exp(noise) * factor(minute));
  });
  return { counts, exposure: new Float64Array(minutes).fill(20_000) };
}

const quiet = { period: DAY, domains: [], from: 0 };

test('a step is found where it is, with an interval that covers it; a series without one is none', () => {
  const random = new Random(1);
  const step = drawn(random, { rate: 0.02, minutes: 360, factor: (minute) => (minute >= 240 ? 1.2 : 1) });
  const flat = drawn(random, { rate: 0.02, minutes: 360 });
  const { findings, funnel } = regressionsOverTime({ ...quiet, series: [flat, step] });
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ id: 1, minute: 240 });
  expect(findings[0]?.interval[0]).toBeLessThan(0.2);
  expect(findings[0]?.interval[1]).toBeGreaterThan(0.2);
  expect(funnel).toEqual({ series: 2, tested: 2, changed: 1, relevant: 1, lasting: 1, notMoved: 1, distinct: 1 });
});

test('of windows without a change, few have any finding, whatever the memory of the noise', () => {
  const random = new Random(2);
  for (const memory of [0, 0.5, 0.8]) {
    let alarms = 0;
    for (let window = 0; window < 60; window++) {
      const series = Array.from({ length: 20 }, (_, f) =>
        drawn(random, { rate: 0.001 * (1 + f), minutes: 360, memory }),
      );
      if (regressionsOverTime({ ...quiet, series, minEffect: 0 }).funnel.changed > 0) alarms++;
    }
    expect(alarms / 60, `memory ${memory}`).toBeLessThanOrEqual(0.1);
  }
});

test('a spike went away', () => {
  const spike = drawn(new Random(3), {
    rate: 0.02,
    minutes: 360,
    factor: (minute) => (minute >= 200 && minute < 290 ? 1.5 : 1),
  });
  const { findings, funnel } = regressionsOverTime({ ...quiet, series: [spike] });
  expect(findings).toEqual([]);
  expect(funnel.relevant - funnel.lasting + (1 - funnel.changed)).toBe(1);
});

test('the daily rise is a change for who knows one morning, and seldom one for who knows three days', () => {
  const random = new Random(4);
  let [known, alone, worse] = [0, 0, 0];
  const window = { from: 3 * DAY, period: DAY, domains: [] };
  const shape = { rate: 0.02, minutes: 3 * DAY + 360, cycle: 0.3 };
  for (let day = 0; day < 40; day++) {
    const rise = drawn(random, shape);
    known += regressionsOverTime({ ...window, series: [rise] }).findings.length;
    const morning = { counts: rise.counts.slice(3 * DAY), exposure: rise.exposure.slice(3 * DAY) };
    alone += regressionsOverTime({ ...quiet, series: [morning] }).findings.length;
    const step = drawn(random, { ...shape, factor: (minute) => (minute >= 3 * DAY + 200 ? 1.2 : 1) });
    worse += regressionsOverTime({ ...window, series: [step] }).findings.length;
  }
  expect(known).toBeLessThanOrEqual(4);
  expect(alone).toBe(40);
  expect(worse).toBeGreaterThanOrEqual(38);
});

test('cost that moved within a class is none; functions that changed as one are one finding', () => {
  const random = new Random(5);
  const change =
    (up: number) =>
    (minute: number): number =>
      minute >= 200 ? up : 1;
  const from = drawn(random, { rate: 0.02, minutes: 360, factor: change(0.5) });
  const to = drawn(random, { rate: 0.02, minutes: 360, factor: change(1.5) });
  const callee = drawn(random, { rate: 0.05, minutes: 360, factor: change(1.5) });
  const caller = { ...callee, counts: callee.counts.map((count) => count + 200 + Math.round(count / 10)) };
  const { findings, funnel } = regressionsOverTime({ ...quiet, series: [from, to, callee, caller], domains: [[0, 1]] });
  expect(funnel).toMatchObject({ lasting: 4, notMoved: 2, distinct: 1 });
  expect(findings[0]).toMatchObject({ id: 3, duplicates: [2] });
});
