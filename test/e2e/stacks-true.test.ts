import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { PlantedPrograms } from '../workloads/planted/build.ts';
import { seconds } from '../support/planted/durations.ts';
import { judgeChains } from '../support/planted/judge-stacks.ts';
import { type PlantedCommand, type PlantedRecording, recordTogether } from '../support/planted/record-planted.ts';
import { countOf } from '../support/planted/seen-stacks.ts';
import { halfWidth99, lossOfSamples } from './agent-samples.ts';

const programs = new PlantedPrograms();
afterAll(() => programs.remove());

const variants = [true, false].map((frames) => ({ name: `true-${frames ? 'fp' : 'no-fp'}`, frames }));
beforeAll(() => {
  for (const { name, frames } of variants) programs.c('chain.c', name, { frames });
});

test.each([
  { frequencyHz: 99, short: 15 },
  { frequencyHz: 999, short: 6 },
])(
  'five functions have their true shares at $frequencyHz Hz, with frame pointers and without',
  // Some of a hundred are outside of an interval of 99 % by chance, and not twice.
  { retry: 1 },
  async ({ frequencyHz, short }) => {
    const commands = variants.map(({ name }): [string, PlantedCommand] => [
      name,
      {
        command: [join(programs.folder, name), String(seconds(short, 30)), 'TRUTH'],
        keep: (executable) => executable === name,
      },
    ]);
    const recordingOf = await recordTogether(
      programs.folder,
      variants.length,
      Object.fromEntries(commands),
      frequencyHz,
    );
    for (const { name } of variants) expectTrueShares(recordingOf(name));
  },
);

function expectTrueShares({ truth, stacks, periodNs, losses }: PlantedRecording): void {
  const { inFunction } = judgeChains(stacks, truth);
  const allNs = [...truth.totals.values()].reduce((sum, ns) => sum + ns, 0);
  const n = [...inFunction.values()].reduce((sum, count) => sum + count, 0);
  for (const [name, ns] of truth.totals) {
    const share = ns / allNs;
    // Self: it is the last of the user's frames, whatever interrupted it in the kernel.
    const own = stacks.filter(({ user }) => user.some((frame) => frame.name === name));
    const observed = countOf(own) / n;
    expect(Math.abs(observed - share), `${name}: ${observed} of truly ${share}`).toBeLessThan(halfWidth99(share, n, 5));
  }
  // All that it used was sampled: a tick hits it or another process, which is drawn anew each time.
  const expected = allNs / periodNs;
  expect(Math.abs(n - expected)).toBeLessThan(0.01 * expected + 2.576 * Math.sqrt(expected));
  expect(Object.keys(losses).filter((row) => lossOfSamples.has(row.split('/')[0] ?? ''))).toEqual([]);
}
