import { expect } from 'vitest';

import { samplingError } from '../sampling-interval.ts';
import { type ChainVerdict, judgeChains } from './judge-stacks.ts';
import type { PlantedRecording } from './record-planted.ts';
import { countOf, type SeenStack } from './seen-stacks.ts';
import { StackRoots } from './stack-roots.ts';

/** Of the user stacks, in every test. */
export const mustBeComplete = 0.995;

/**
 * The planted chain is there frame by frame, and the planted functions have their shares of it, within the error of sampling.
 * A program's own start and end, where nothing is planted, may be `mostOutside` of it.
 */
export function expectChains(recording: PlantedRecording, mostOutside = 0.05): ChainVerdict {
  const { stacks, aside, truth } = recording;
  const verdict = judgeChains(stacks, truth, aside);
  const judged = verdict.asPlanted + verdict.broken;
  expect(judged, 'samples in what is planted').toBeGreaterThan(50);
  expect(verdict.outside / countOf(stacks)).toBeLessThan(mostOutside);
  expect(verdict.asPlanted / judged, `for example:\n${verdict.examples.join('\n')}`).toBeGreaterThanOrEqual(
    mustBeComplete,
  );
  const allNs = [...truth.totals.values()].reduce((sum, ns) => sum + ns, 0);
  const n = [...verdict.inFunction.values()].reduce((sum, count) => sum + count, 0);
  for (const [name, ns] of truth.totals) {
    const share = ns / allNs;
    const observed = (verdict.inFunction.get(name) ?? 0) / n;
    expect(Math.abs(observed - share), `${name}: ${observed} of truly ${share}`).toBeLessThan(samplingError(share, n));
  }
  return verdict;
}

const roots = new StackRoots();

/** Stacks begin where threads begin, and hardly any sample of a program that only computes is without one. */
export async function expectComplete({ stacks, truth }: PlantedRecording): Promise<void> {
  const { complete, incomplete, examples } = await roots.judge(stacks, truth);
  expect(complete + incomplete).toBeGreaterThan(0.95 * countOf(stacks));
  expect(complete / (complete + incomplete), `for example:\n${examples.join('\n')}`).toBeGreaterThanOrEqual(
    mustBeComplete,
  );
}

/** The recording with what ends with `[stack cut: REASON]` put aside: what cannot be followed and says so. It may be `most` of the samples. */
export function setCutAside(recording: PlantedRecording, reason: string, most: number): PlantedRecording {
  const isCut = ({ user }: SeenStack): boolean => user[0]?.name === `[stack cut: ${reason}]`;
  const aside = recording.stacks.filter(isCut);
  expect(countOf(aside) / countOf(recording.stacks), `cut: ${reason}`).toBeLessThan(most);
  return { ...recording, stacks: recording.stacks.filter((stack) => !isCut(stack)), aside };
}
