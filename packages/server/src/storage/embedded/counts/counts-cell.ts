import { discard, type Labels } from '@everflame/profile';
import { type CountColumn, countColumn } from '../../count-column.ts';
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

  /** What it comes to, once: its sums are given back. @throws StorageError `sum_overflow` */
  row(labels: Labels, timeMs: number): CountsRow {
    const { samples, value, durationNanos, profiles } = this;
    if (value !== BigInt.asIntN(64, value))
      throw new StorageError('sum_overflow', 'the sum of a step leaves int64: ask for a shorter step');
    const { ids, self, inclusive } = this.functions;
    this.functions = new FunctionTotals();
    const perSample = Number.isFinite(this.factor) ? { valuePerSample: BigInt(this.factor) } : {};
    const facts = { labels, timeMs, samples, value, ...perSample, durationNanos, profiles };
    // Negative counts may have cancelled each other.
    let isSomething = true;
    for (let i = 0; i < ids.length; i++) if (self[i] === 0 && inclusive[i] === 0) isSomething = false;
    if (isSomething) return { ...facts, function: ids, self: narrowed(self), inclusive: narrowed(inclusive) };
    const isWanted = (_: number, i: number) => self[i] !== 0 || inclusive[i] !== 0;
    return {
      ...facts,
      function: ids.filter(isWanted),
      self: narrowed(self.filter(isWanted)),
      inclusive: narrowed(inclusive.filter(isWanted)),
    };
  }
}

/** As `countColumn`, which gives back what it does not keep: of a fleet, a third of its counts. */
function narrowed(counts: Float64Array): CountColumn {
  const column = countColumn(counts);
  if (column !== counts) discard(counts);
  return column;
}
