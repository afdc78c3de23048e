import { gathered, gatheredInts } from '../tables/gathered.ts';
import { int64sOfProducts } from '../tables/int64-column.ts';
import type { Amounts } from './tree.ts';

/** Amounts of samples that all stand for the same value, or what has these: values are made of the counts when they are first asked for. */
export function counted<Counts extends Pick<Amounts, 'samples' | 'selfSamples'>>(
  counts: Counts,
  perSample: number,
): Counts & Amounts & { readonly perSample: number } {
  let total: BigInt64Array | undefined;
  let self: BigInt64Array | undefined;
  return {
    ...counts,
    perSample,
    get total() {
      return (total ??= int64sOfProducts(counts.samples, perSample));
    },
    get self() {
      return (self ??= int64sOfProducts(counts.selfSamples, perSample));
    },
  };
}

/** The total of one row; does not make those of the others. */
export function totalOf(amounts: Amounts, row: number): bigint {
  const { perSample } = amounts;
  return perSample === undefined ? (amounts.total[row] ?? 0n) : BigInt((amounts.samples[row] ?? 0) * perSample);
}

/** `others` with the amounts by another row: those of row `from[i]`; -1: zeros. */
export function withAmounts<Others extends object>(
  others: Others,
  amounts: Amounts,
  from: ArrayLike<number>,
): Others & Amounts {
  const samples = gathered(amounts.samples, from);
  const selfSamples = gathered(amounts.selfSamples, from);
  const counts = { ...others, samples, selfSamples };
  if (amounts.perSample !== undefined) return counted(counts, amounts.perSample);
  return { ...counts, total: gatheredInts(amounts.total, from), self: gatheredInts(amounts.self, from) };
}
