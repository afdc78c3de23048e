import type { Labels } from '@everflame/profile';
import { type CountsRow, StorageError } from '../../storage.ts';
import { FunctionTotals } from './function-sums.ts';

/** What a row of `FunctionCounts` comes to so far. */
export class CountsCell {
  samples = 0;
  value = 0n;
  /** As `joinedFactor` has it. */
  factor = Number.NaN;
  durationNanos = 0n;
  profiles = 0;
  functions = new FunctionTotals();

  /** @throws StorageError `sum_overflow` */
  row(labels: Labels, timeMs: number): CountsRow {
    const { samples, value, durationNanos, profiles } = this;
    if (value !== BigInt.asIntN(64, value))
      throw new StorageError('sum_overflow', 'the sum of a step leaves int64: ask for a shorter step');
    const { ids, self, inclusive } = this.functions;
    const isSomething = (i: number) => self[i] !== 0 || inclusive[i] !== 0;
    const perSample = Number.isFinite(this.factor) ? { valuePerSample: BigInt(this.factor) } : {};
    const facts = { labels, timeMs, samples, value, ...perSample, durationNanos, profiles };
    // Negative counts may have cancelled each other.
    if (ids.every((_, i) => isSomething(i))) return { ...facts, function: ids, self, inclusive };
    return {
      ...facts,
      function: ids.filter((_, i) => isSomething(i)),
      self: self.filter((_, i) => isSomething(i)),
      inclusive: inclusive.filter((_, i) => isSomething(i)),
    };
  }
}
