import { expect } from 'vitest';

import { judgePython, recordPlantedPython } from '../support/python-stacks.ts';
import { recordShapes } from '../support/python-shapes.ts';
import { samplingError } from '../support/sampling-interval.ts';

const least = 0.99;
const leastLines = 0.98;

/**
 * Runs planted.py under one Python and holds it against what it says of itself: samples whole to the root and named, shares, order of functions across C
 * code, lines.
 */
export async function expectPlantedPython(
  python: string,
  cpuMs: number,
  {
    isQualified,
    rest = [],
    root = /^_start$/u,
  }: {
    readonly isQualified: boolean;
    readonly rest?: readonly string[];
    readonly root?: RegExp;
  },
): Promise<void> {
  const recording = await recordPlantedPython(python, cpuMs, rest);
  const verdict = judgePython(recording.stacks, root, isQualified);
  const { total, whole, planted, asPlanted, leaves, rightLines, inFunction, callbacks, compressing } = verdict;
  const allUs = [...recording.truth.values()].reduce((sum, each) => sum + each, 0);
  const wrongShares = [...recording.truth].filter(([name, us]) => {
    const observed = (inFunction.get(name) ?? 0) / planted;
    return Math.abs(observed - us / allUs) > samplingError(us / allUs, planted);
  });
  const { inFunction: _, examples, ...figures } = verdict;
  // For the reader of the log, one line for each run.
  console.info(JSON.stringify({ python, ...figures, losses: recording.losses }));
  expect({
    tooFew: total > 0.25 * cpuMs ? [] : [total],
    notWhole: whole / total >= least ? [] : [...examples, JSON.stringify(recording.losses)],
    notAsPlanted: asPlanted / planted >= least ? [] : examples,
    wrongLines: rightLines / leaves >= leastLines ? [] : [`${rightLines} of ${leaves} right`, ...examples],
    wrongShares,
    wrongOrder: [
      ...(callbacks > 0 && verdict.callbacksInOrder / callbacks >= least ? [] : ['qsort']),
      ...(compressing > 0 && verdict.compressingInOrder / compressing >= least ? [] : ['zlib']),
    ],
  }).toEqual({ tooFew: [], notWhole: [], notAsPlanted: [], wrongLines: [], wrongShares: [], wrongOrder: [] });
}

/** Runs shapes.py: coroutines, generators, one of 40 threads, a forked process and a second interpreter have their functions in order. */
export async function expectShapes(python: string, isQualified: boolean): Promise<void> {
  const { samples, inOrder, nameless } = await recordShapes(python, 300, isQualified);
  console.info(JSON.stringify({ python, samples, inOrder, nameless }));
  const wrong = Object.entries(samples).filter(([shape, count]) => count < 50 || (inOrder[shape] ?? 0) / count < least);
  expect(wrong).toEqual([]);
}
