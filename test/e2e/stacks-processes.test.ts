import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { record } from '@everflame/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { PlantedPrograms } from '../workloads/planted/build.ts';
import { seconds } from '../support/planted/durations.ts';
import { expectChains, expectComplete } from '../support/planted/expect-planted.ts';
import { type PlantedCommand, type PlantedRecording, recordTogether } from '../support/planted/record-planted.ts';
import { countOf, seenStacks } from '../support/planted/seen-stacks.ts';

const programs = new PlantedPrograms();
afterAll(() => programs.remove());

const length = String(seconds(2, 10));

/** The same with frame pointers, which need no tables, and without. */
const variants = [
  { title: 'with frame pointers', frames: true, suffix: 'fp' },
  { title: 'without frame pointers', frames: false, suffix: 'no-fp' },
] as const;

let recordingOf: (title: string) => PlantedRecording;
beforeAll(async () => {
  const commands: Record<string, PlantedCommand> = {};
  for (const { frames, suffix } of variants) {
    const built = (name: string): string => programs.c('chain.c', `${name}-${suffix}`, { frames });
    commands[`memfd-${suffix}`] = inNoDirectory(built('in-memory'));
    commands[`deleted-${suffix}`] = changedWhileItRuns(built('deleted'), (program) => `rm ${program}`);
    // Other code at the same path, of the same size: what is there is not what runs.
    const decoy = programs.c('chain.c', `decoy-${suffix}`, { frames: !frames });
    commands[`replaced-${suffix}`] = changedWhileItRuns(built('replaced'), (program) => `mv ${decoy} ${program}`);
    commands[`exec-${suffix}`] = twoByTurns(frames, suffix);
    commands[`mounted-${suffix}`] = inItsOwnMounts(built('inside'), suffix);
    const libraries = programs.libraries(`remapped-${suffix}`, 4, frames);
    commands[`remapped-${suffix}`] = mappedOverEachOther(libraries, frames, suffix);
  }
  recordingOf = await recordTogether(programs.folder, 2, commands, 999);
});

function inNoDirectory(program: string): PlantedCommand {
  const runner = programs.c('run-memfd.c', `run-${basename(program)}`);
  const keep = (name: string): boolean => name.includes(basename(program)) && !name.startsWith('run-');
  return { command: [runner, program, length, 'TRUTH'], keep };
}

function changedWhileItRuns(program: string, change: (program: string) => string): PlantedCommand {
  const begun = `until [ /proc/$!/exe -ef ${program} ]; do :; done`;
  const script = `${program} ${length} TRUTH & ${begun}; ${change(program)}; wait $!`;
  return { command: ['sh', '-c', script], keep: (name) => name.startsWith(basename(program)) };
}

function twoByTurns(frames: boolean, suffix: string): PlantedCommand {
  const [one = '', two = ''] = ['one', 'two'].map((name) =>
    programs.c('exec-loop.c', `${name}-${suffix}`, { frames, flags: [`-DWORK=planted_${name}`] }),
  );
  const names = [one, two].map((program) => basename(program));
  return { command: [one, String(seconds(40, 400)), 'TRUTH', two], keep: (name) => names.includes(name) };
}

function inItsOwnMounts(inside: string, suffix: string): PlantedCommand {
  const place = join(programs.folder, `mounted-${suffix}`);
  const hidden = join(place, `hidden-${suffix}`);
  mkdirSync(place);
  // What is at the same path outside of it is another program.
  copyFileSync(programs.c('exec-loop.c', `outside-${suffix}`, { flags: ['-DWORK=planted_decoy'] }), hidden);
  const script = `mount -t tmpfs tmpfs ${place} && cp ${inside} ${hidden} && exec ${hidden} ${length} TRUTH`;
  const command = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script];
  return { command, keep: (name) => name === `hidden-${suffix}` };
}

function mappedOverEachOther(libraries: readonly string[], frames: boolean, suffix: string): PlantedCommand {
  const places = libraries.map(executableSegment);
  // Only code that fits where the other was makes it a test.
  expect(new Set(places.map((place) => place.join())).size).toBe(1);
  const name = `remap-${suffix}`;
  const program = programs.c('remap.c', name, { frames });
  const command = [program, length, 'TRUTH', ...(places[0] ?? []), ...libraries];
  return { command, keep: (executable) => executable === name };
}

/** A program that moves its text, and with which it may be built. */
function movingProgram(name: string): string {
  const mover = programs.c('mover.c', `${name}-mover.so`, { flags: ['-shared', '-fPIC'] });
  return programs.c('move-text.c', name, { flags: ['-Wl,--no-as-needed', mover] });
}

describe.each(variants)('$title', ({ frames, suffix }) => {
  test('a program that is in no directory', async () => {
    const recording = recordingOf(`memfd-${suffix}`);
    expectChains(recording);
    if (!frames) await expectComplete(recording);
  });

  test('a program whose file is deleted, and one whose file is replaced by another, while it runs', () => {
    expectChains(recordingOf(`deleted-${suffix}`));
    expectChains(recordingOf(`replaced-${suffix}`));
  });

  test('a PID that executes two programs by turns', async () => {
    const recording = recordingOf(`exec-${suffix}`);
    expect(new Set(recording.stacks.map(({ labels }) => labels['process_pid'])).size).toBe(1);
    for (const { labels, user } of recording.stacks) {
      const other = labels['process_executable_name'] === `one-${suffix}` ? 'planted_two' : 'planted_one';
      expect(user.map(({ name }) => name)).not.toContain(other);
    }
    // Each program works for 20 ms: its start is more of it than usual.
    expectChains(recording, 0.2);
    if (!frames) await expectComplete(recording);
  });

  test('a program that only its own mount namespace has', () => {
    expectChains(recordingOf(`mounted-${suffix}`));
  });

  test('code that is mapped over code', async () => {
    const recording = recordingOf(`remapped-${suffix}`);
    const { inFunction } = expectChains(recording);
    expect(inFunction.size).toBe(4);
    if (!frames) await expectComplete(recording);
    expect(countOf(recording.stacks)).toBeGreaterThan(0);
  });
});

describe('text that a program moves to anonymous memory', () => {
  const pauses = [
    ['at once', '0'],
    ['a quarter of a second after its place was mapped', '250000'],
  ] as const;
  let recordingOfPause: (pause: string) => PlantedRecording;
  beforeAll(async () => {
    const commands = pauses.map(([, pause]): [string, PlantedCommand] => {
      const name = `moved-${pause}`;
      const command = [movingProgram(name), length, 'TRUTH', pause];
      return [pause, { command, keep: (executable) => executable === name }];
    });
    // A recording of their own, in which no stack at all may be cut for want of a mapping.
    recordingOfPause = await recordTogether(programs.folder, 2, Object.fromEntries(commands), 999);
  });

  test.each(pauses)('%s', async (_, pause) => {
    const recording = recordingOfPause(pause);
    expectChains(recording);
    await expectComplete(recording);
    expect(recording.losses['stacks_truncated/no_mapping']).toBeUndefined();
  });
});

test('text that a program had moved before anyone looked', async () => {
  const program = movingProgram('moved-before');
  const child = spawn(program, ['8', join(programs.folder, 'unread-truth'), '0']);
  try {
    const moved = new RegExp(`r-xp \\d+ 00:00 0 *\n`, 'u');
    while (!moved.test(readFileSync(`/proc/${child.pid}/maps`, 'utf8'))) await sleep(100);
    const { profile } = await record({
      frequencyHz: 499,
      target: { kind: 'pids', pids: [child.pid ?? 0] },
    });
    const stacks = seenStacks(profile);
    const whole = stacks.filter(({ user }) => {
      const names = user.map((frame) => frame.name);
      const main = names.indexOf('main');
      return names[0] === '_start' && names.slice(main, main + 4).join() === 'main,drive,level_01,level_02';
    });
    expect(countOf(stacks)).toBeGreaterThan(200);
    expect(countOf(whole) / countOf(stacks)).toBeGreaterThan(0.98);
  } finally {
    child.kill('SIGKILL');
  }
});

/** File offset and size of the executable segment and the place of `library_entry` in it, in hexadecimal, by readelf and nm. */
function executableSegment(library: string): string[] {
  const segments = execFileSync('readelf', ['-lW', library], { encoding: 'utf8' });
  const [, offset = '', address = '', size = ''] =
    /LOAD\s+0x(\w+)\s+0x(\w+)\s+0x\w+\s+0x(\w+)\s+0x\w+\s+R E/u.exec(segments) ?? [];
  const symbols = execFileSync('nm', [library], { encoding: 'utf8' });
  const entry = /^(\w+) T library_entry$/mu.exec(symbols)?.[1] ?? '';
  if (size === '' || entry === '') throw new Error(`${library} has no segment`);
  const inSegment = Number.parseInt(entry, 16) - Number.parseInt(address, 16);
  return [offset, size, inSegment.toString(16)];
}
