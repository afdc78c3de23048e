import type { Tree } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { Choice } from './profile-choice.ts';
import type { TimeRange } from '../storage/storage.ts';

/** Amounts for `jsonOf`: int64 as decimal text, counts as numbers. */
export function amountTexts(side: Pick<Tree, 'total' | 'self' | 'samples' | 'selfSamples'>) {
  const { total, self, samples, selfSamples } = side;
  return { total, self, samples, selfSamples };
}

/** int64 as decimal text. */
export function decimals(column: BigInt64Array): string[] {
  return Array.from(column, String);
}

export function numbers(column: Uint32Array | Float64Array): number[] {
  return Array.from(column);
}

export function frameColumns({ frames }: Pick<Tree, 'frames'>): http.FlamegraphAnswer['frames'] {
  return { name: [...frames.name], file: [...frames.file], binary: [...frames.binary], kind: [...frames.kind] };
}

export function amountColumns(side: Pick<Tree, 'total' | 'self' | 'samples' | 'selfSamples'>) {
  return {
    total: decimals(side.total),
    self: decimals(side.self),
    samples: numbers(side.samples),
    selfSamples: numbers(side.selfSamples),
  };
}

/** What every answer about one profile type begins with. An empty type: nothing is stored that fits. */
export function answerHead(choice: Choice | null, { fromMs, untilMs }: TimeRange) {
  return {
    profileType: choice?.profileType.id ?? '',
    unit: choice?.profileType.sampleUnit ?? '',
    from: fromMs,
    until: untilMs,
  };
}
