import { expect } from 'vitest';

import { halfWidth99 } from '../e2e/agent-samples.ts';
import { judgePlanted, recordPlantedScript } from '../support/javascript-stacks.ts';
import { countOf } from '../support/runtime-stacks.ts';

const least = 0.99;
const leastLines = 0.98;
/** Of a tier alone, which no program runs with: V8 then spends more time in calls that are half made. */
const leastOfTier = 0.97;

/**
 * Runs planted.cjs under one Node.js with these flags and holds it against what it says of itself: samples whole to the root and named, shares, order of
 * frames across native code, lines. `names`: shares, the exact chain and its order are not judged. Copies of the first half second wait for the unwind table of a
 * Node.js that was never seen; code that V8's collector has moved meanwhile is read too late (`frames_unnamed/inlined`), and what was compiled into it is missing.
 */
export async function expectPlanted(
  node: string,
  flags: readonly string[],
  cpuMs: number,
  judges: 'all' | 'names' = 'all',
): Promise<void> {
  const recording = await recordPlantedScript(node, flags, cpuMs);
  const verdict = judgePlanted(recording.stacks, /^_start$/);
  const { total, whole, planted, asPlanted, leaves, rightLines, inFunction } = verdict;
  // Native code that a script calls: zlib's under its JavaScript.
  const zipped = recording.stacks.filter(
    ({ frames }) => frames[0]?.name === '_start' && frames.at(-1)?.name.startsWith('deflate') === true,
  );
  const inOrder = zipped.filter(({ frames }) => {
    const names = frames.map(({ name }) => name);
    const [zip, sync] = [names.indexOf('zip'), names.indexOf('processChunkSync')];
    return names.includes('outer') && zip > names.indexOf('outer') && sync > zip;
  });
  const allUs = [...recording.truth.values()].reduce((sum, each) => sum + each, 0);
  const wrongShares = [...recording.truth].filter(([name, us]) => {
    const observed = (inFunction.get(name) ?? 0) / planted;
    return Math.abs(observed - us / allUs) > halfWidth99(us / allUs, planted, 5);
  });
  const faults = {
    tooFew: total > 0.25 * cpuMs ? [] : [total],
    notWhole: whole / total >= least ? [] : [...verdict.examples, JSON.stringify(recording.losses)],
    notAsPlanted:
      judges === 'names' || asPlanted / planted >= (flags.length > 1 ? leastOfTier : least) ? [] : verdict.examples,
    wrongLines:
      rightLines / leaves >= (flags.length > 1 ? leastOfTier : leastLines) ? [] : [`${rightLines} of ${leaves} right`],
    wrongShares: judges === 'names' ? [] : wrongShares,
    wrongOrder:
      countOf(inOrder) > 0 && (judges === 'names' || countOf(inOrder) / countOf(zipped) >= least)
        ? []
        : [countOf(inOrder), countOf(zipped)],
  };
  // Figures for the reader of the log, one line for each run.
  console.info(
    JSON.stringify({ flags, total, whole, planted, asPlanted, leaves, rightLines, losses: recording.losses }),
  );
  expect(faults).toEqual({
    tooFew: [],
    notWhole: [],
    notAsPlanted: [],
    wrongLines: [],
    wrongShares: [],
    wrongOrder: [],
  });
}
