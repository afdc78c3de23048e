import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonOf } from './json-columns.ts';

const parsed = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

test('columns are written as JSON.stringify writes arrays of them', () => {
  const answer = fc.record({
    name: fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }),
    text: fc.string({ unit: 'grapheme' }),
    count: fc.oneof(fc.double({ noDefaultInfinity: true, noNaN: true }), fc.nat()),
    nothing: fc.constant(null),
    rows: fc.array(
      fc.record({ self: fc.string(), share: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })) }),
    ),
    parent: fc.array(fc.nat({ max: 0xffff_ffff }), { maxLength: 40 }),
    samples: fc.array(fc.oneof(fc.nat(), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
    total: fc.array(fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(0n, 2n ** 54n), fc.bigInt(0n, 20n))),
  });
  fc.assert(
    fc.property(answer, ({ parent, samples, total, ...plain }) => {
      const texts = total.map(String);
      const found = jsonOf<{ samples: number[]; inner: { parent: number[]; total: string[] } }>({
        ...plain,
        samples: Float64Array.from(samples),
        inner: { parent: Uint32Array.from(parent), total: BigInt64Array.from(total) },
      });
      const expected = { ...plain, samples, inner: { parent, total: texts } };
      expect(parsed(found)).toEqual(JSON.parse(JSON.stringify(expected)));
    }),
  );
});
