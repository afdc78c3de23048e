import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { record } from '@everflame/agent';
import { afterAll, describe, expect, test } from 'vitest';

import { PlantedPrograms } from '../workloads/planted/build.ts';
import { seconds } from '../support/planted/durations.ts';
import { expectChains, expectComplete } from '../support/planted/expect-planted.ts';
import { recordPlanted } from '../support/planted/record-planted.ts';
import { countOf, seenStacks } from '../support/planted/seen-stacks.ts';

const programs = new PlantedPrograms();
afterAll(() => programs.remove());

const length = String(seconds(2, 10));

/** The same with frame pointers, which need no tables, and without. */
describe.each([
  { title: 'with frame pointers', frames: true },
  { title: 'without frame pointers', frames: false },
])('$title', ({ frames }) => {
  const suffix = frames ? 'fp' : 'no-fp';
  const built = (name: string): string => programs.c('chain.c', `${name}-${suffix}`, { frames });

  test('a program that is in no directory', async () => {
    const runner = programs.c('run-memfd.c', `run-memfd-${suffix}`);
    const recording = await recordPlanted(programs.folder, [runner, built('in-memory'), length, 'TRUTH'], {
      frequencyHz: 999,
      keep: (name) => !name.startsWith('run-memfd'),
    });
    expectChains(recording);
    if (!frames) await expectComplete(recording);
  });

  test('a program whose file is deleted, and one whose file is replaced by another, while it runs', async () => {
    const deleted = built('deleted');
    const replaced = built('replaced');
    // Other code at the same path, of the same size: what is there is not what runs.
    const decoy = programs.c('chain.c', `decoy-${suffix}`, { frames: !frames });
    renameSync(decoy, `${replaced}.new`);
    const begun = (program: string): string => `until [ /proc/$!/exe -ef ${program} ]; do :; done`;
    const scripts = [
      `${deleted} ${length} TRUTH & ${begun(deleted)}; rm ${deleted}; wait $!`,
      `${replaced} ${length} TRUTH & ${begun(replaced)}; mv ${replaced}.new ${replaced}; wait $!`,
    ];
    for (const script of scripts) {
      const recording = await recordPlanted(programs.folder, ['sh', '-c', script], {
        frequencyHz: 999,
        keep: (name) => /^(?:deleted|replaced)-/u.test(name),
      });
      expectChains(recording);
    }
  });

  test('a PID that executes two programs by turns', async () => {
    const rounds = seconds(40, 400);
    const one = programs.c('exec-loop.c', `one-${suffix}`, { frames, flags: ['-DWORK=planted_one'] });
    const two = programs.c('exec-loop.c', `two-${suffix}`, { frames, flags: ['-DWORK=planted_two'] });
    const recording = await recordPlanted(programs.folder, [one, String(rounds), 'TRUTH', two], { frequencyHz: 999 });
    expect(new Set(recording.stacks.map(({ labels }) => labels['process_pid'])).size).toBe(1);
    for (const { labels, user } of recording.stacks) {
      const other = labels['process_executable_name'] === `one-${suffix}` ? 'planted_two' : 'planted_one';
      expect(user.map(({ name }) => name)).not.toContain(other);
    }
    // Each program works for 20 ms: its start is more of it than usual.
    expectChains(recording, 0.2);
    if (!frames) await expectComplete(recording);
  });

  test('a program that only its own mount namespace has', async () => {
    const place = join(programs.folder, `mounted-${suffix}`);
    mkdirSync(place);
    const [inside, outside] = [
      built('inside'),
      programs.c('exec-loop.c', `outside-${suffix}`, { flags: ['-DWORK=planted_decoy'] }),
    ];
    // What is at the same path outside of it is another program.
    copyFileSync(outside, join(place, 'hidden'));
    const script = `mount -t tmpfs tmpfs ${place} && cp ${inside} ${place}/hidden && exec ${place}/hidden ${length} TRUTH`;
    const command = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script];
    const recording = await recordPlanted(programs.folder, command, {
      frequencyHz: 999,
      keep: (name) => name === 'hidden',
    });
    expectChains(recording);
  });

  test('code that is mapped over code', async () => {
    const libraries = programs.libraries(`remapped-${suffix}`, 4, frames);
    const places = libraries.map(executableSegment);
    // Only code that fits where the other was makes it a test.
    expect(new Set(places.map((place) => place.join())).size).toBe(1);
    const program = programs.c('remap.c', `remap-${suffix}`, { frames });
    const recording = await recordPlanted(
      programs.folder,
      [program, length, 'TRUTH', ...(places[0] ?? []), ...libraries],
      { frequencyHz: 999 },
    );
    const { inFunction } = expectChains(recording);
    expect(inFunction.size).toBe(4);
    if (!frames) await expectComplete(recording);
    expect(countOf(recording.stacks)).toBeGreaterThan(0);
  });
});

/** A program that moves its text, and with which it may be built. */
function movingProgram(name: string): string {
  const mover = programs.c('mover.c', `${name}-mover.so`, { flags: ['-shared', '-fPIC'] });
  return programs.c('move-text.c', name, { flags: ['-Wl,--no-as-needed', mover] });
}

test.each([
  ['at once', '0'],
  ['a quarter of a second after its place was mapped', '250000'],
])('text that a program moves to anonymous memory, %s', async (_, pause) => {
  const name = `moved-${pause}`;
  const recording = await recordPlanted(programs.folder, [movingProgram(name), length, 'TRUTH', pause], {
    frequencyHz: 999,
    keep: (executable) => executable === name,
  });
  expectChains(recording);
  await expectComplete(recording);
  expect(recording.losses['stacks_truncated/no_mapping']).toBeUndefined();
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
