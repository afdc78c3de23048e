import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compare } from './compare.ts';
import type { Comparison, FunctionComparison } from './comparison.ts';
import { samplesOf, type SideCounts, sumOf } from './counts/side-counts.ts';
import { Random } from './testing/random.ts';
import { countsFromText } from './testing/counts-from-text.ts';

const FUNCTIONS = 14;
const drawn = countsFromText(Array.from({ length: FUNCTIONS }, (_, f) => `f${f}@file${f % 4}.ts`).join(' '));

/** Rows of a side: each sample of a unit has one function as its leaf, so that self counts sum to all. */
function rowsOf(seed: number, units: number, tilt: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: units }, (_, unit) => {
    const self = Array.from({ length: FUNCTIONS }, (__, f) =>
      random.poisson(5 + 40 * f * (f === 3 ? tilt : 1) * Math.exp(0.2 * random.normal())),
    );
    const all = self.reduce((sum, count) => sum + count, 0);
    return `unit${unit} ${all} ${self.map((count) => `${count}/${count}`).join(' ')}`;
  });
}

const fleet = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  units: fc.integer({ min: 5, max: 12 }),
  tilt: fc.constantFrom(0, 0.5, 1, 1, 2),
});

function sidesOf({ seed, units, tilt }: { seed: number; units: number; tilt: number }): {
  before: SideCounts;
  after: SideCounts;
} {
  return {
    before: drawn.side('v1', rowsOf(seed, units, 1).join('\n')),
    after: drawn.side('v2', rowsOf(seed + 1, units, tilt).join('\n')),
  };
}

function compared(sides: { before: SideCounts; after: SideCounts }): Comparison {
  return compare({ ...sides, functions: drawn.functions, kind: 'host' });
}

function byId(comparison: Comparison): FunctionComparison[] {
  return comparison.functions.toSorted((a, b) => a.id - b.id);
}

/** Numbers to nine digits: sums taken in another order differ in the last ones. */
function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, field: unknown) => (typeof field === 'number' ? Number(field.toPrecision(9)) : field)),
  );
}

test('swapping the sides turns every change around', () => {
  const mirror: Record<string, string> = { regressed: 'improved', improved: 'regressed', new: 'gone', gone: 'new' };
  fc.assert(
    fc.property(fleet, (options) => {
      const { before, after } = sidesOf(options);
      const there = byId(compared({ before, after }));
      const back = byId(compared({ before: after, after: before }));
      for (const [i, one] of there.entries()) {
        const other = back.at(i);
        expect(other?.verdict).toBe(mirror[one.verdict] ?? one.verdict);
        expect(rounded(other?.q)).toEqual(rounded(one.q));
        if (one.change === null || other === undefined || other.change === null) continue;
        expect((1 + one.change) * (1 + other.change)).toBeCloseTo(1, 9);
        expect((1 + (one.interval?.[0] ?? 0)) * (1 + (other.interval?.[1] ?? 0))).toBeCloseTo(1, 9);
      }
    }),
    { numRuns: 40, seed: 1 },
  );
});

test('the order of units does not matter', () => {
  fc.assert(
    fc.property(fleet, fc.integer({ min: 1, max: 4 }), (options, by) => {
      const turn = (rows: string[]): string => [...rows.slice(by), ...rows.slice(0, by)].join('\n');
      const { before, after } = sidesOf(options);
      const turned = compared({
        before: drawn.side('v1', turn(rowsOf(options.seed, options.units, 1))),
        after: drawn.side('v2', turn(rowsOf(options.seed + 1, options.units, options.tilt))),
      });
      expect(rounded(byId(turned))).toEqual(rounded(byId(compared({ before, after }))));
    }),
    { numRuns: 40, seed: 2 },
  );
});

test('a longer exposure of the same counts changes cores and nothing of the shares', () => {
  fc.assert(
    fc.property(fleet, fc.double({ min: 0.1, max: 100, noNaN: true }), (options, factor) => {
      const { before, after } = sidesOf(options);
      const longer = (side: SideCounts): SideCounts => ({
        ...side,
        unitSeconds: side.unitSeconds.map((value) => value * factor),
      });
      const plain = byId(compared({ before, after }));
      const scaled = byId(compared({ before: longer(before), after: longer(after) }));
      // p and what could have been seen may be those of cores per instance.
      const without = (all: FunctionComparison[]): unknown => rounded(all.map((one) => ({ ...one, cores: null })));
      expect(without(scaled)).toEqual(without(plain));
      for (const [i, one] of plain.entries())
        expect((scaled[i]?.cores?.before ?? 0) * factor).toBeCloseTo(one.cores?.before ?? 0, 9);
    }),
    { numRuns: 40, seed: 3 },
  );
});

test('every function of either side is in the answer, and self counts sum to all samples, to the last digit', () => {
  fc.assert(
    fc.property(fleet, (options) => {
      const { before, after } = sidesOf(options);
      const { functions, summary } = compared({ before, after });
      expect(functions.reduce((sum, one) => sum + one.selfBefore, 0)).toBe(sumOf(before.unitSamples));
      expect(functions.reduce((sum, one) => sum + one.selfAfter, 0)).toBe(sumOf(after.unitSamples));
      expect(summary.before.samples).toBe(sumOf(before.unitSamples));
      for (let id = 0; id < FUNCTIONS; id++) {
        const one = functions.find((each) => each.id === id);
        expect(one?.samplesBefore ?? 0).toBe(samplesOf(before, 'inclusive', id));
        expect(one?.samplesAfter ?? 0).toBe(samplesOf(after, 'inclusive', id));
      }
      expect(Object.values(summary.counts).reduce((sum, count) => sum + count, 0)).toBe(functions.length);
    }),
    { numRuns: 40, seed: 4 },
  );
});

test('a comparison is JSON: what is parsed is what was said', () => {
  const result = compared(sidesOf({ seed: 5, units: 6, tilt: 0 }));
  expect(JSON.parse(JSON.stringify(result))).toEqual(result);
});
