import { expect, test } from 'vitest';
import { countsFromText } from '../testing/counts-from-text.ts';
import { chooseUnits, type SampleOrigin } from './choose-units.ts';
import { CountsBuilder } from './counts-builder.ts';

test('minutes add up to the same counts as a drawing of their sum', () => {
  const builder = new CountsBuilder('v1', 3, 0.01);
  const minute = (functions: number[], self: number[], inclusive: number[]): Parameters<CountsBuilder['add']>[1] => ({
    functions: Uint32Array.from(functions),
    self,
    inclusive,
    samples: 50,
    seconds: 30,
    requests: null,
  });
  builder.add('a', minute([0, 2], [10, 20], [50, 20]));
  builder.add('b', minute([0], [30], [40]));
  builder.add('a', minute([0], [5], [50]));
  const drawn = countsFromText('x@x.ts y@y.ts z@z.ts').side('v1', 'a 100 100/15 0 20/20\nb 50 40/30 0 0');
  expect(builder.finish()).toEqual({ ...drawn, unitSeconds: Float64Array.of(60, 30) });
});

test('sums that leave 32 bits are exact all the same, on every unit', () => {
  const builder = new CountsBuilder('v1', 2, 0.01);
  const add = (unit: string, count: number) =>
    builder.add(unit, {
      functions: Uint32Array.of(0, 1),
      self: [1, count],
      inclusive: [3, count],
      samples: 3 + count,
      seconds: 1,
      requests: null,
    });
  add('a', 5);
  add('b', 2 ** 31 + 1);
  add('b', 2 ** 31 + 2);
  add('c', 7);
  const { cellSelf, cellInclusive } = builder.finish();
  expect([[...cellSelf], [...cellInclusive]]).toEqual([
    [1, 2, 1, 5, 2 ** 32 + 3, 7],
    [3, 6, 3, 5, 2 ** 32 + 3, 7],
  ]);
});

test('two functions that are one have no more samples than there are', () => {
  const builder = new CountsBuilder('v1', 2, 0.01);
  const counts = { functions: Uint32Array.of(0, 1), self: [2, 3], inclusive: [8, 7], samples: 10, seconds: 1 };
  builder.add('a', { ...counts, requests: null }, Uint32Array.of(1, 1));
  const { cellSelf, cellInclusive, functionStart } = builder.finish();
  expect([[...functionStart], [...cellSelf], [...cellInclusive]]).toEqual([[0, 0, 1], [5], [10]]);
  // One that is alone is held to that as it comes.
  const alone = new CountsBuilder('v1', 2, 0.01);
  alone.add('a', { ...counts, inclusive: [11, 7], requests: null }, Uint32Array.of(1, 0));
  expect(() => alone.finish()).toThrow(/all samples 10/);
});

test('what cannot be is refused', () => {
  const add =
    (functions: number[], self: number[], inclusive: number[]): (() => unknown) =>
    () => {
      const builder = new CountsBuilder('v1', 2, 0.01);
      builder.add('a', {
        functions: Uint32Array.from(functions),
        self,
        inclusive,
        samples: 10,
        seconds: 1,
        requests: 5,
      });
      return builder.finish();
    };
  expect(add([0], [5], [10])).not.toThrow();
  expect(add([2], [1], [1])).toThrow(/function 2 of 2/);
  expect(add([0], [1], [0])).toThrow(/no inclusive/);
  expect(add([0], [1], [11])).toThrow(/all samples 10/);
  expect(add([0, 1], [6, 6], [6, 6])).toThrow(/sum to more/);
  const huge = new CountsBuilder('v1', 40_000_000, 0.01);
  const one = { functions: new Uint32Array(0), self: [], inclusive: [], samples: 0, seconds: 1, requests: null };
  huge.add('a', one);
  expect(() => huge.add('b', one)).toThrow(/the limit is/);
});

test('units are the coarsest kind that is named everywhere and has two members on each side', () => {
  const origin = (host: string | null, pod: string | null, process: string | null): SampleOrigin => ({
    host,
    pod,
    process,
  });
  const kind = (before: SampleOrigin[], after: SampleOrigin[]): string => chooseUnits(before, after).kind;
  const fleet = [origin('h1', 'p1', '1'), origin('h2', 'p2', '2')];
  expect(kind(fleet, fleet)).toBe('host');
  const oneHost = [origin('h1', 'p1', '1'), origin('h1', 'p2', '2')];
  expect(kind(oneHost, oneHost)).toBe('pod');
  expect(chooseUnits(oneHost, oneHost).hosts).toBe(1);
  expect(chooseUnits(oneHost, oneHost).unitOf?.(origin('h1', 'p2', '2'))).toBe('p2');
  const noPods = [origin('h1', null, '1'), origin('h1', null, '2')];
  expect(kind(noPods, noPods)).toBe('process');
  expect(kind(noPods, [origin('h1', null, '3')])).toBe('block');
});
