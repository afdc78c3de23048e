import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortedOrder } from './sorted-order.ts';

test('keys of any size come in ascending order, equal ones in their own', () => {
  const key = fc.oneof(fc.nat(20), fc.maxSafeNat());
  fc.assert(
    fc.property(fc.array(key), (keys) => {
      const expected = keys.map((_, i) => i).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
      expect([...sortedOrder(Float64Array.from(keys))]).toEqual(expected);
    }),
  );
});
