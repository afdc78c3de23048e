import { afterAll, expect, test } from 'vitest';

import { PlantedPrograms } from '../workloads/planted/build.ts';
import { seconds } from '../support/planted/durations.ts';
import { judgeChains } from '../support/planted/judge-stacks.ts';
import { recordPlanted } from '../support/planted/record-planted.ts';
import { countOf } from '../support/planted/seen-stacks.ts';
import { halfWidth99, lossOfSamples } from './agent-samples.ts';

const programs = new PlantedPrograms();
afterAll(() => programs.remove());

const cases = [
  { frequencyHz: 99, frames: true },
  { frequencyHz: 99, frames: false },
  { frequencyHz: 999, frames: true },
  { frequencyHz: 999, frames: false },
];

test.each(cases)(
  'five functions have their true shares at $frequencyHz Hz, frame pointers: $frames',
  // One of a hundred is outside of an interval of 99 % by chance, and not twice.
  { retry: 1 },
  async ({ frequencyHz, frames }) => {
    const program = programs.c('chain.c', `true-${frequencyHz}-${frames}`, { frames });
    const length = frequencyHz === 99 ? seconds(15, 30) : seconds(6, 30);
    const recording = await recordPlanted(programs.folder, [program, String(length), 'TRUTH'], { frequencyHz });
    const { truth, stacks } = recording;
    const { inFunction } = judgeChains(stacks, truth);
    const allNs = [...truth.totals.values()].reduce((sum, ns) => sum + ns, 0);
    const n = [...inFunction.values()].reduce((sum, count) => sum + count, 0);
    for (const [name, ns] of truth.totals) {
      const share = ns / allNs;
      // Self: it is the last of the user's frames, whatever interrupted it in the kernel.
      const own = stacks.filter(({ user }) => user.some((frame) => frame.name === name));
      const observed = countOf(own) / n;
      expect(Math.abs(observed - share), `${name}: ${observed} of truly ${share}`).toBeLessThan(
        halfWidth99(share, n, 5),
      );
    }
    // All that it used was sampled: a tick hits it or another process, which is drawn anew each time.
    const expected = allNs / recording.periodNs;
    expect(Math.abs(n - expected)).toBeLessThan(0.01 * expected + 2.576 * Math.sqrt(expected));
    const lost = Object.keys(recording.losses).filter((row) => lossOfSamples.has(row.split('/')[0] ?? ''));
    expect(lost).toEqual([]);
  },
);
