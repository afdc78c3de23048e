import { expect, test } from 'vitest';
import { averageOf, latestOf, stepsOf } from './average.ts';

const second = 1e9;

test('series are added up step by step', () => {
  const series = [
    { labels: {}, times: [0, 20], values: ['1', '2'], samples: [] },
    { labels: {}, times: [20, 40], values: ['10', '20'], samples: [] },
  ];
  expect(stepsOf({ stepMs: 20, series })).toEqual({ times: [0, 20, 40], values: [1, 12, 20], stepMs: 20 });
});

test('an average leaves out gaps, and the first and last step when there are three', () => {
  const values = [1, 20, 40, 2].map((cores) => cores * second);
  expect(averageOf({ times: [0, 10_000, 70_000, 80_000], values, stepMs: 10_000 })).toEqual({
    rate: 3,
    overMs: 20_000,
  });
  expect(averageOf({ times: [0, 10_000, 20_000], values: values.slice(0, 3), stepMs: 10_000 })?.rate).toBe(2);
  expect(averageOf({ times: [0], values: [5 * second], stepMs: 10_000 })).toEqual({ rate: 0.5, overMs: 10_000 });
  expect(averageOf({ times: [], values: [], stepMs: 10_000 })).toBeNull();
});

test('"now" is the newest step that is complete', () => {
  const steps = { times: [0, 10_000, 20_000], values: [10 * second, 20 * second, second], stepMs: 10_000 };
  expect(latestOf(steps, 36_000)).toBe(2);
  expect(latestOf(steps, 46_000)).toBe(0.1);
  expect(latestOf(steps, 600_000)).toBeNull();
});
