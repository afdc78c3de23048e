import { expect, test } from 'vitest';
import type { SideCounts } from '../counts/side-counts.ts';
import { countsFromText } from '../testing/counts-from-text.ts';
import { Contrast } from './contrast.ts';

const drawn = countsFromText('f@f.ts');
const before = drawn.side('v1', 'a 1000 100\nb 1000 140\nc 1000 90\nd 1000 110');
const after = drawn.side('v2', 'a 1000 130\nb 1000 160\nc 1000 105\nd 1000 165');

function effectOf(contrast: Contrast): { theta: number; variance: number } {
  const influence = new Float64Array(contrast.rows);
  return { theta: contrast.effect(0, 'inclusive', influence), variance: contrast.variance(influence) };
}

test('equal paired units: the textbook H/(H − 1)·Σd² with H − 1 degrees of freedom', () => {
  const contrast = new Contrast({ before, after }, null, 'host', 'share');
  const [xb, xa] = [
    [100, 140, 90, 110],
    [130, 160, 105, 165],
  ];
  const d = xa.map((value, h) => value / 560 - (xb[h] ?? 0) / 440);
  const { theta, variance } = effectOf(contrast);
  expect(theta).toBeCloseTo(Math.log(560 / 440), 12);
  expect(variance).toBeCloseTo((4 / 3) * d.reduce((sum, value) => sum + value * value, 0), 12);
  expect(contrast.df).toBeCloseTo(3, 9);
  expect(contrast.paired).toBe(4);
});

test('units that are not the same: the sum of both sides, with Welch’s degrees of freedom', () => {
  const renamed: SideCounts = { ...after, unitNames: ['e', 'f', 'g', 'h'] };
  const contrast = new Contrast({ before, after: renamed }, null, 'pod', 'share');
  const part = (counts: number[], all: number): number =>
    (4 / 3) * counts.reduce((sum, value) => sum + (value / all - 1 / 4) ** 2, 0);
  expect(effectOf(contrast).variance).toBeCloseTo(part([100, 140, 90, 110], 440) + part([130, 160, 105, 165], 560), 12);
  expect(contrast.df).toBeCloseTo(6, 9);
});

test('a unit with most of the load leaves few degrees of freedom', () => {
  const heavy = (side: SideCounts): SideCounts => ({ ...side, unitSamples: Float64Array.of(20_000, 500, 500, 500) });
  expect(new Contrast({ before: heavy(before), after: heavy(after) }, null, 'host', 'share').df).toBeLessThan(0.1);
});

test('cores divide by the seconds of instances, with the rate of each side', () => {
  const slower = { ...after, secondsPerSample: 0.02 };
  const contrast = new Contrast({ before, after: slower }, null, 'host', 'cores');
  expect(contrast.rate('before', 440)).toBeCloseTo(4.4 / 240, 12);
  expect(effectOf(contrast).theta).toBeCloseTo(Math.log((560 * 0.02) / (440 * 0.01)), 12);
});

test('time blocks that follow each other count for less than independent ones', () => {
  const trending = (start: number): string =>
    Array.from({ length: 40 }, (_, i) => `t${i} 1000 ${start + (i % 20) * 5}`).join('\n');
  const sides = { before: drawn.side('v1', trending(100)), after: drawn.side('v2', trending(120)) };
  const asBlocks = new Contrast(sides, null, 'block', 'share');
  const renamed = { ...sides.after, unitNames: sides.after.unitNames.map((name) => `${name}'`) };
  const asPods = new Contrast({ before: sides.before, after: renamed }, null, 'pod', 'share');
  expect(effectOf(asBlocks).variance).toBeGreaterThan(2 * effectOf(asPods).variance);
  expect(asBlocks.df).toBeLessThan(asPods.df);
});
