import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { PlantedPrograms } from '../workloads/planted/build.ts';
import { isFullRun, seconds } from '../support/planted/durations.ts';
import { expectChains, expectComplete } from '../support/planted/expect-planted.ts';
import { type PlantedRecording, recordPlanted } from '../support/planted/record-planted.ts';
import { countOf } from '../support/planted/seen-stacks.ts';

const programs = new PlantedPrograms();
afterAll(() => programs.remove());

interface Shape {
  readonly flags?: readonly string[];
  readonly command: (program: string, frames: boolean) => string[];
  /** Longer than the others in the short run: copies of stacks before the kernel part knows the process end at 64 KB. */
  readonly seconds?: number;
}

/** Deeper than the kernel's own walk, which takes 127 frames, goes. */
const deepRecursion = '400';

const shapes: Readonly<Record<string, Shape>> = {
  signals: { command: (program) => [program, '$S', 'TRUTH'] },
  assembly: { command: (program) => [program, '$S', 'TRUTH'] },
  switch: { command: (program) => [program, '$S', 'TRUTH'] },
  frames: { flags: ['-Wl,-z,lazy'], command: (program) => [program, '$S', 'TRUTH'], seconds: 8 },
  libraries: {
    command: (program, frames) => [program, '$S', 'TRUTH', ...programs.libraries(`loaded-${frames}`, 4, frames)],
  },
  vfork: { command: (program) => [program, '$S', 'TRUTH', '/bin/true'] },
  threads: { command: (program) => [program, '$S', 'TRUTH', '64'] },
};

const cases = Object.keys(shapes).flatMap((shape) => [
  { shape, frames: true, title: `${shape} with frame pointers` },
  { shape, frames: false, title: shape },
]);

async function run(shape: string, frames: boolean, name: string): Promise<PlantedRecording> {
  const { flags = [], command, seconds: short = 2 } = shapes[shape] ?? { command: () => [] };
  const program = programs.c(`${shape}.c`, name, { frames, flags });
  const words = command(program, frames).map((word) => word.replace('$S', String(seconds(short, 15))));
  return recordPlanted(programs.folder, words, { frequencyHz: 999, keep: (executable) => executable === name });
}

describe.each(cases)('$title', ({ shape, frames }) => {
  let recording: PlantedRecording;
  beforeAll(async () => {
    recording = await run(shape, frames, `${shape}-${frames ? 'fp' : 'no-fp'}`);
  });

  test('the chain is there frame by frame', () => {
    const { inFunction } = expectChains(recording);
    expect([...inFunction.keys()].sort()).toEqual([...recording.truth.totals.keys()].sort());
  });

  test('stacks begin where threads begin', async () => {
    await expectComplete(recording);
  });
});

test('a recursion of 400 calls above the chain is whole', async () => {
  const program = programs.c('frames.c', 'deep');
  const words = [program, String(seconds(12, 15)), 'TRUTH', deepRecursion];
  const recording = await recordPlanted(programs.folder, words, { frequencyHz: 999 });
  expectChains(recording);
  await expectComplete(recording);
  const deep = recording.stacks.filter(({ user }) => user.filter(({ name }) => name === 'recurse').length === 400);
  expect(countOf(deep) / countOf(recording.stacks)).toBeGreaterThan(0.1);
  expect(recording.losses['stacks_truncated/depth']).toBeUndefined();
});

// A file with a hole of 500 MB takes the linker some seconds and the machine some cache: in the full run only.
test.runIf(isFullRun)('code at the end of a text of 500 MB is unwound and named', async () => {
  const program = programs.c('far-text.c', 'far-text');
  const recording = await recordPlanted(programs.folder, [program, '10', 'TRUTH'], { frequencyHz: 999 });
  expectChains(recording);
  await expectComplete(recording);
});
