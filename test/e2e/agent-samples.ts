import { labelsOfSet, type Profile, topFunctions } from '@everflame/profile';

/** One sample of a profile, as a test looks at it. */
export interface SeenSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  /** Function names, leaf first. */
  readonly functions: readonly string[];
}

export function samplesOf(profile: Profile): SeenSample[] {
  return Array.from({ length: profile.samples.length }, (_, row) => ({
    labels: labelsOfSet(profile, profile.samples.labelSet[row] ?? 0),
    count: Number(profile.samples.values[row * profile.sampleTypes.length]),
    functions: functionsOf(profile, profile.samples.stack[row] ?? 0),
  }));
}

function functionsOf(profile: Profile, stackRow: number): string[] {
  const { stacks, locations, functions, strings } = profile;
  const names: string[] = [];
  for (let row = stackRow; row !== 0; row = stacks.parent[row] ?? 0) {
    const location = stacks.location[row] ?? 0;
    for (let line = locations.lineOffset[location] ?? 0; line < (locations.lineOffset[location + 1] ?? 0); line++) {
      names.push(strings[functions.nameString[locations.lineFunction[line] ?? 0] ?? 0] ?? '');
    }
  }
  return names;
}

/** Samples by value of a label. */
export function countBy(samples: readonly SeenSample[], label: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const sample of samples) {
    const value = sample.labels[label] ?? '';
    counts[value] = (counts[value] ?? 0) + sample.count;
  }
  return counts;
}

export function total(samples: readonly SeenSample[]): number {
  return samples.reduce((sum, sample) => sum + sample.count, 0);
}

/** Samples that contain each function, once each. */
export function totalsByFunction(profile: Profile): Map<string, number> {
  const table = topFunctions(profile, 0);
  return new Map(table.frames.name.map((name, row) => [name, Number(table.total[row])]));
}

/**
 * Half the width of the interval in which a share lies with 99 % probability, when `n` samples are drawn from a share of
 * `p`: z·√(p(1−p)/n), the normal approximation of the binomial. For `k` shares looked at together, z is that of
 * 1 − 0.01/k (Bonferroni), so that all of them hold with 99 %: 2.576 for one, 3.090 for five. Sampling at fixed steps in
 * time, as we do, spreads less than drawing at random, so it is on the safe side.
 */
export function halfWidth99(p: number, n: number, k: 1 | 5): number {
  return (k === 1 ? 2.576 : 3.09) * Math.sqrt((p * (1 - p)) / n);
}

/** What was sampled and is not there. (What cannot be read of other processes, or has no frame pointers, is counted elsewhere.) */
export const lossOfSamples: ReadonlySet<string> = new Set(['samples_lost', 'records_lost', 'batches_dropped']);
