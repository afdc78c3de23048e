import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { flattenIntervals } from './flatten-intervals.ts';

/** Draws the owner of each place: `ab-` for a, then b, then nobody. */
function draw(starts: number[], ends: number[], priorities: number[], width: number): string {
  const flat = flattenIntervals(Float64Array.from(starts), Float64Array.from(ends), Float64Array.from(priorities));
  const places = Array.from({ length: width }, () => '-');
  for (let i = 0; i < flat.items.length; i++) {
    for (let at = flat.starts[i] ?? 0; at < (flat.ends[i] ?? 0); at++) {
      expect(places[at]).toBe('-');
      places[at] = String.fromCodePoint(97 + (flat.items[i] ?? 0));
    }
  }
  return places.join('');
}

test('an outer interval goes on behind the inner one', () => {
  expect(draw([0, 3], [10, 5], [0, 1], 12)).toBe('aaabbaaaaa--');
});

test('the later one wins where two have the same priority, and empty ones vanish', () => {
  expect(draw([1, 1, 4], [5, 4, 4], [0, 0, 9], 6)).toBe('-bbba-');
});

test('every place belongs to the interval of the highest priority that holds it', () => {
  const interval = fc.record({ start: fc.nat(30), size: fc.nat(12), priority: fc.nat(5) });
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 20 }), (intervals) => {
      let expected = '';
      for (let at = 0; at < 45; at++) {
        let owner = -1;
        for (const [i, { start, size, priority }] of intervals.entries()) {
          if (at < start || at >= start + size) continue;
          if (owner < 0 || priority >= (intervals[owner]?.priority ?? 0)) owner = i;
        }
        expected += owner < 0 ? '-' : String.fromCodePoint(97 + owner);
      }
      const starts = intervals.map(({ start }) => start);
      const ends = intervals.map(({ start, size }) => start + size);
      const priorities = intervals.map(({ priority }) => priority);
      expect(draw(starts, ends, priorities, 45)).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});
