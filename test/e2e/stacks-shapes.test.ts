import { record } from '@everflame/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { PlantedPrograms } from '../workloads/planted/build.ts';
import { isFullRun, seconds } from '../support/planted/durations.ts';
import { expectChains, expectComplete, setCutAside } from '../support/planted/expect-planted.ts';
import {
  type PlantedCommand,
  type PlantedRecording,
  recordPlanted,
  recordTogether,
} from '../support/planted/record-planted.ts';
import { countOf, seenStacks } from '../support/planted/seen-stacks.ts';

const programs = new PlantedPrograms();
afterAll(() => programs.remove());

interface Shape {
  /** The name of the shape when left out. */
  readonly source?: string;
  readonly flags?: readonly string[];
  readonly command: (program: string, frames: boolean) => string[];
  /** Longer than the others in the short run, in seconds. */
  readonly short?: number;
  /** Its frames take more than 64 KB, where copies of stacks end until the kernel part knows the process. */
  readonly isLarge?: boolean;
}

/** As Debian's own package for each length of a pointer would be built. */
const of32Bits = ['-m32', '-idirafter', '/usr/include/x86_64-linux-gnu'];

/** Deeper than the kernel's own walk, which takes 127 frames, goes. */
const deepRecursion = '400';

const shapes: Readonly<Record<string, Shape>> = {
  signals: { command: (program) => [program, '$S', 'TRUTH'] },
  assembly: { command: (program) => [program, '$S', 'TRUTH'] },
  switch: { command: (program) => [program, '$S', 'TRUTH'] },
  frames: { flags: ['-Wl,-z,lazy'], command: (program) => [program, '$S', 'TRUTH'], short: 4, isLarge: true },
  libraries: {
    command: (program, frames) => [program, '$S', 'TRUTH', ...programs.libraries(`loaded-${frames}`, 4, frames)],
  },
  vfork: { command: (program) => [program, '$S', 'TRUTH', '/bin/true'] },
  threads: { command: (program) => [program, '$S', 'TRUTH', '64'], short: 2 },
  'signals, 32 bits': { source: 'signals', flags: of32Bits, command: (program) => [program, '$S', 'TRUTH'] },
  'signals with information, 32 bits': {
    source: 'signals',
    flags: [...of32Bits, '-DSIGNAL_FLAGS=SA_SIGINFO'],
    command: (program) => [program, '$S', 'TRUTH'],
  },
  'signals, 32 bits, static': {
    source: 'signals',
    flags: [...of32Bits, '-static'],
    command: (program) => [program, '$S', 'TRUTH'],
    short: 2,
  },
  'vfork, 32 bits': {
    source: 'vfork',
    flags: of32Bits,
    command: (program) => [program, '$S', 'TRUTH', '/bin/true'],
  },
  'threads, 32 bits': {
    source: 'threads',
    flags: of32Bits,
    command: (program) => [program, '$S', 'TRUTH', '64'],
    short: 2,
  },
};

const cases = Object.keys(shapes).flatMap((shape) => [
  { shape, frames: true, title: `${shape} with frame pointers` },
  { shape, frames: false, title: shape },
]);

/** Compiles one; answers how to run it and what is its own. */
function prepare(shape: string, frames: boolean): PlantedCommand {
  const { source = shape, flags = [], command, short = 1.5 } = shapes[shape] ?? { command: () => [] };
  const name = `${shape.replaceAll(/\W+/gu, '-')}-${frames ? 'fp' : 'no-fp'}`;
  const program = programs.c(`${source}.c`, name, { frames, flags });
  const words = command(program, frames).map((word) => word.replace('$S', String(seconds(short, 15))));
  return { command: words, keep: (executable) => executable === name };
}

/** All of it but what a copy of 64 KB did not hold. */
function judged(recording: PlantedRecording, shape: string): PlantedRecording {
  return shapes[shape]?.isLarge === true ? setCutAside(recording, 'copy short', 0.2) : recording;
}

describe('one thing that makes stacks hard to walk', () => {
  let recordingOf: (title: string) => PlantedRecording;
  beforeAll(async () => {
    const prepared = cases.map(({ title, shape, frames }) => ({ shape, title, planted: prepare(shape, frames) }));
    const commands = Object.fromEntries(prepared.map(({ title, planted }) => [title, planted]));
    recordingOf = await recordTogether(programs.folder, 2, commands, 999);
  });

  describe.each(cases)('$title', ({ shape, title }) => {
    test('the chain is there frame by frame', () => {
      const recording = judged(recordingOf(title), shape);
      const { inFunction } = expectChains(recording);
      expect([...inFunction.keys()].sort()).toEqual([...recording.truth.totals.keys()].sort());
    });

    test('stacks begin where threads begin', async () => {
      await expectComplete(judged(recordingOf(title), shape));
    });
  });
});

test('a recursion of 400 calls above the chain is whole', async () => {
  const program = programs.c('frames.c', 'deep');
  const words = [program, String(seconds(3, 15)), 'TRUTH', deepRecursion];
  const recorded = await recordPlanted(programs.folder, words, { frequencyHz: 999 });
  const recording = setCutAside(recorded, 'copy short', 0.2);
  expectChains(recording);
  await expectComplete(recording);
  const deep = recording.stacks.filter(({ user }) => user.filter(({ name }) => name === 'recurse').length === 400);
  expect(countOf(deep) / countOf(recording.stacks)).toBeGreaterThan(0.1);
  expect(recording.losses['stacks_truncated/depth']).toBeUndefined();
});

test.each([
  ['64 bits', [], /^(read|__read|__GI___libc_read|__libc_read)$/u],
  ['32 bits', of32Bits, /^__kernel_vsyscall$/u],
  ['32 bits, static', [...of32Bits, '-static'], /^(__kernel_vsyscall|_dl_sysinfo_int80|__libc_read|read|__read)$/u],
])('system calls of %s are below their callers', async (title, flags, leaf) => {
  const program = programs.c('syscalls.c', `syscalls-${title.replaceAll(/\W+/gu, '-')}`, { flags });
  const { profile } = await record({
    frequencyHz: 999,
    target: { kind: 'command', command: program, arguments: ['2'] },
    stdio: 'ignore',
  });
  const calls = seenStacks(profile).filter(({ user }) => user.some(({ name }) => name === 'fill'));
  const inKernel = calls.filter(({ kernel }) => kernel.length > 0);
  expect(countOf(inKernel)).toBeGreaterThan(1000);
  const whole = inKernel.filter(({ user }) => {
    const names = user.map(({ name }) => name);
    const main = names.indexOf('main');
    return (
      names[0] === '_start' &&
      names[main + 1] === 'fill_often' &&
      names[main + 2] === 'fill' &&
      leaf.test(names.at(-1) ?? '')
    );
  });
  const others = inKernel
    .filter((each) => !whole.includes(each))
    .map(({ user }) => user.map(({ name }) => name).join(' > '));
  expect(countOf(whole) / countOf(inKernel), `for example:\n${others.slice(0, 5).join('\n')}`).toBeGreaterThan(0.995);
});

// A file with a hole of 500 MB takes the linker some seconds and the machine some cache: in the full run only.
test.runIf(isFullRun)('code at the end of a text of 500 MB is unwound and named', async () => {
  const program = programs.c('far-text.c', 'far-text');
  const recording = await recordPlanted(programs.folder, [program, '10', 'TRUTH'], { frequencyHz: 999 });
  expectChains(recording);
  await expectComplete(recording);
});
