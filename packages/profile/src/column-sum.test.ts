import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnSum } from './column-sum.ts';

test('each column of a table sums as BigInts do, beyond float64 and int64 as well', () => {
  const value = fc.oneof(
    fc.bigInt(-1000n, 1000n),
    fc.bigInt(-(2n ** 54n), 2n ** 54n),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (values, step) => {
      for (let first = 0; first < step; first++) {
        const own = values.filter((_, i) => i % step === first);
        expect(columnSum(BigInt64Array.from(values), first, step)).toBe(own.reduce((sum, one) => sum + one, 0n));
      }
    }),
  );
});
