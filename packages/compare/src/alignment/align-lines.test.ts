import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../testing/random.ts';
import { alignLines, type LineWeights, matchOf, priceOfEdit } from './align-lines.ts';

const weights = (lines: Readonly<Record<number, number>>): LineWeights =>
  new Map(Object.entries(lines).map(([line, weight]) => [Number(line), weight]));

test('lines behind inserted and removed text are found again', () => {
  const before = weights({ 3: 400, 10: 300, 11: 50, 20: 900, 25: 100 });
  // Two lines inserted before 10, five removed before 20.
  const after = weights({ 3: 410, 12: 280, 13: 60, 17: 950, 22: 90 });
  expect([...alignLines(before, after)].sort(([a], [b]) => a - b)).toEqual([
    [3, 3],
    [10, 12],
    [11, 13],
    [20, 17],
    [25, 22],
  ]);
});

test('a line that costs more or less stays where it is, and one that is new or gone is no edit', () => {
  expect([...alignLines(weights({ 3: 10, 4: 500 }), weights({ 3: 900, 4: 510 }))]).toEqual([
    [4, 4],
    [3, 3],
  ]);
  expect([...alignLines(weights({ 3: 500 }), weights({ 3: 480, 4: 700 }))]).toEqual([[3, 3]]);
  expect([...alignLines(weights({ 3: 480, 4: 700 }), weights({ 3: 480 }))]).toEqual([[3, 3]]);
});

test('few samples say nothing of an edit', () => {
  expect(alignLines(weights({ 3: 4 }), weights({ 4: 4 })).size).toBe(0);
  expect([...alignLines(weights({ 3: 400 }), weights({ 4: 400 }))]).toEqual([[3, 4]]);
});

/** The most that any matching in order gains: all of them tried. */
function bestOfAll(before: readonly [number, number][], after: readonly [number, number][], price: number): number {
  const walk = (i: number, j: number, distance: number): number => {
    let most = 0;
    for (let a = i; a < before.length; a++)
      for (let b = j; b < after.length; b++) {
        const [line, weight] = before[a] ?? [0, 0];
        const [other, otherWeight] = after[b] ?? [0, 0];
        const edit = other - line === distance ? 0 : price;
        most = Math.max(most, matchOf(weight, otherWeight) - edit + walk(a + 1, b + 1, other - line));
      }
    return most;
  };
  return walk(0, 0, 0);
}

test('no matching gains more', () => {
  const side = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 200 })), {
    selector: ([line]) => line,
    maxLength: 5,
  });
  fc.assert(
    fc.property(side, side, (left, right) => {
      const inOrder = (one: [number, number][]): [number, number][] => one.toSorted(([a], [b]) => a - b);
      const [before, after] = [inOrder(left), inOrder(right)];
      const sum = (one: readonly [number, number][]): number => one.reduce((all, [, weight]) => all + weight, 0);
      const price = priceOfEdit(Math.max(sum(before), sum(after)));
      const [from, to] = [new Map(before), new Map(after)];
      const pairs = [...alignLines(from, to)].sort(([a], [b]) => a - b);
      let gain = 0;
      let distance = 0;
      let reached = 0;
      for (const [line, other] of pairs) {
        expect(other).toBeGreaterThan(reached);
        reached = other;
        gain += matchOf(from.get(line) ?? 0, to.get(other) ?? 0) - (other - line === distance ? 0 : price);
        distance = other - line;
      }
      expect(gain).toBeCloseTo(bestOfAll(before, after, price), 6);
    }),
  );
});

test('the noise of counting moves no line', () => {
  const random = new Random(5);
  let moved = 0;
  for (let round = 0; round < 2000; round++) {
    const lines = Array.from({ length: 1 + Math.floor(random.uniform() * 12) }, (_, i) => [
      2 * i + Math.floor(random.uniform() * 2),
      1000 * random.uniform() ** 4,
    ]);
    const draw = (): LineWeights =>
      new Map(
        lines.map(([line = 0, mean = 0]) => [line, random.poisson(mean)] as const).filter(([, samples]) => samples > 0),
      );
    for (const [from, to] of alignLines(draw(), draw())) if (from !== to) moved++;
  }
  expect(moved).toBe(0);
});
