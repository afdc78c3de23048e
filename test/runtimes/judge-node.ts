import { expect } from 'vitest';

import { halfWidth99 } from '../e2e/agent-samples.ts';
import { countOf, judgePlanted, recordPlantedScript } from '../support/javascript-stacks.ts';

/** Samples of what is interrupted between two stacks, such as by the kernel at the very first instruction of a function. */
const least = 0.99;
const leastLines = 0.98;

/**
 * Runs planted.cjs under one Node.js with these flags and holds it against what it says of itself: samples whole to the root and named, shares, order of frames across
 * native code, lines.
 */
export async function expectPlanted(node: string, flags: readonly string[], cpuMs: number): Promise<void> {
  const recording = await recordPlantedScript(node, flags, cpuMs);
  const verdict = judgePlanted(recording.stacks, /^_start$/);
  const shown = JSON.stringify({ ...verdict, inFunction: [...verdict.inFunction], losses: recording.losses });
  expect(verdict.total, shown).toBeGreaterThan(0.25 * cpuMs);
  expect(verdict.whole / verdict.total, shown).toBeGreaterThan(least);
  expect(verdict.asPlanted / verdict.planted, shown).toBeGreaterThan(least);
  expect(verdict.rightLines / verdict.leaves, shown).toBeGreaterThan(leastLines);
  const allUs = [...recording.truth.values()].reduce((sum, each) => sum + each, 0);
  for (const [name, us] of recording.truth) {
    const share = us / allUs;
    const observed = (verdict.inFunction.get(name) ?? 0) / verdict.planted;
    expect(Math.abs(observed - share), `${name}: ${observed} of truly ${share}`).toBeLessThan(
      halfWidth99(share, verdict.planted, 5),
    );
  }
  // Native code that a script calls: zlib's under its JavaScript.
  const zipped = recording.stacks.filter(({ frames }) => frames.at(-1)?.name.startsWith('deflate') === true);
  const right = zipped.filter(({ frames }) => {
    const names = frames.map(({ name }) => name);
    const [zip, sync] = [names.indexOf('zip'), names.indexOf('processChunkSync')];
    return names.includes('outer') && zip > names.indexOf('outer') && sync > zip;
  });
  expect(countOf(right), shown).toBeGreaterThan(0);
  expect(countOf(right) / countOf(zipped), shown).toBeGreaterThan(least);
}
