import { expect, test } from 'vitest';
import { ProfileBuilder } from './profile-builder.ts';

const cpu = { sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }] };

test('what is the same gets the same row, and row 0 is nothing', () => {
  const builder = new ProfileBuilder(cpu);
  const first = builder.location({ address: 1n, lines: [{ function: builder.function({ name: 'f' }), line: 2 }] });
  expect(builder.location({ address: 1n, lines: [{ function: builder.function({ name: 'f' }), line: 2n }] })).toBe(
    first,
  );
  expect(builder.location({ address: 1n })).not.toBe(first);
  // A location that says nothing is still a frame.
  expect(builder.location({})).not.toBe(0);
  expect(builder.labelSet([])).toBe(0);
  expect(builder.string('')).toBe(0);
  expect(builder.string('\uD800')).toBe(builder.string('\uFFFD'));
  expect(builder.stack(builder.stack(0, first), first)).toBe(2);
  expect(() => builder.stack(0, 0)).toThrow(expect.objectContaining({ code: 'invariant' }));
});

test('a sum that overflows is refused and leaves the builder as it was', () => {
  const builder = new ProfileBuilder(cpu);
  builder.add(0, 0, [2n ** 63n - 1n]);
  expect(() => builder.add(0, 0, [1n])).toThrow(expect.objectContaining({ code: 'overflow' }));
  expect(() => builder.add(0, 1, [2n ** 63n])).toThrow(expect.objectContaining({ code: 'overflow' }));
  expect(() => builder.add(0, 0, [1n, 1n])).toThrow(expect.objectContaining({ code: 'value_count' }));
  const { samples } = builder.build();
  expect([samples.length, samples.values[0], samples.count[0]]).toEqual([1, 2n ** 63n - 1n, 1]);
});

test('many thousand rows are found again after the tables have grown', () => {
  const builder = new ProfileBuilder(cpu);
  const rows = (): number[] =>
    Array.from({ length: 20_000 }, (_, i) => builder.stack(i % 100, builder.location({ address: BigInt(i) })));
  const first = rows();
  expect(new Set(first).size).toBe(20_000);
  expect(rows()).toEqual(first);
});
