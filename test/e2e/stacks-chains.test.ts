import { execFileSync } from 'node:child_process';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type CBuild, PlantedPrograms } from '../workloads/planted/build.ts';
import { seconds } from '../support/planted/durations.ts';
import { expectChains, expectComplete, setCutAside } from '../support/planted/expect-planted.ts';
import {
  type PlantedCommand,
  type PlantedRecording,
  recordPlanted,
  recordTogether,
} from '../support/planted/record-planted.ts';

const programs = new PlantedPrograms();
afterAll(() => programs.remove());

/** As Debian's own package for each length of a pointer would be built. */
const headersOf32Bits = ['-m32', '-idirafter', '/usr/include/x86_64-linux-gnu'];

const ofC: Readonly<Record<string, CBuild>> = {
  gcc: {},
  'gcc with frame pointers': { frames: true },
  'gcc, not PIE': { flags: ['-no-pie', '-fno-pie'] },
  'gcc, static': { flags: ['-static'] },
  'gcc, static with frame pointers': { flags: ['-static'], frames: true },
  'gcc, static-pie': { flags: ['-static-pie'] },
  'gcc, -O0': { flags: ['-O0'] },
  'gcc, no PLT, no CET': { flags: ['-fno-plt', '-fcf-protection=none'] },
  'gcc, 32 bits': { flags: headersOf32Bits },
  'gcc, 32 bits with frame pointers': { flags: headersOf32Bits, frames: true },
  'gcc, 32 bits, static, not PIE': { flags: [...headersOf32Bits, '-static'] },
  'gcc, 32 bits, -O0': { flags: [...headersOf32Bits, '-O0'] },
  clang: { compiler: 'clang' },
  'clang, static, with frame pointers': { compiler: 'clang', flags: ['-static'], frames: true },
  musl: { compiler: 'musl-gcc', flags: ['-static'] },
  'musl with frame pointers': { compiler: 'musl-gcc', flags: ['-static'], frames: true },
};

const builds: Readonly<Record<string, (name: string) => string>> = {
  ...Object.fromEntries(
    Object.entries(ofC).map(([title, build]) => [
      `C by ${title}`,
      (name: string) => programs.c('chain.c', name, build),
    ]),
  ),
  'C++ by g++': (name) => programs.c('chain.cpp', name, { compiler: 'g++' }),
  'C++ by g++ with frame pointers': (name) => programs.c('chain.cpp', name, { compiler: 'g++', frames: true }),
  'C++ by clang++': (name) => programs.c('chain.cpp', name, { compiler: 'clang++' }),
  Rust: (name) => programs.rust(name, false),
  'Rust with frame pointers': (name) => programs.rust(name, true),
  'Rust, v0 names, aborting': (name) =>
    programs.rust(name, false, ['-C', 'symbol-mangling-version=v0', '-C', 'panic=abort']),
  Go: (name) => programs.go(name),
  'Go, PIE': (name) => programs.go(name, ['-buildmode=pie']),
  'Go without symbol table': (name) => programs.go(name, ['-ldflags=-s -w']),
};

function commandOf(program: string): string[] {
  return [program, String(seconds(1.5, 10)), 'TRUTH'];
}

describe('C, C++, Rust and Go', () => {
  let recordingOf: (title: string) => PlantedRecording;
  beforeAll(async () => {
    const commands = Object.entries(builds).map(([title, build], index): [string, PlantedCommand] => {
      const name = `chain-${index}`;
      return [title, { command: commandOf(build(name)), keep: (executable) => executable === name }];
    });
    recordingOf = await recordTogether(programs.folder, 2, Object.fromEntries(commands), 999);
  });

  describe.each(Object.keys(builds))('%s', (title) => {
    test('thirty calls are there frame by frame, with their true shares', () => {
      expectChains(recordingOf(title));
    });

    test('stacks begin where threads begin', async () => {
      // No table describes musl's C library, where this program reads its clock.
      const recording = recordingOf(title);
      await expectComplete(title.includes('musl') ? setCutAside(recording, 'gap', 0.02) : recording);
    });
  });
});

test('a stripped program has the same stacks, by addresses that nm names in its twin', async () => {
  const twin = programs.c('chain.c', 'twin');
  const stripped = `${programs.folder}/stripped`;
  execFileSync('strip', ['-s', '-o', stripped, twin]);
  const symbols = execFileSync('nm', ['--defined-only', '-n', twin], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [address = '', type = '', name = ''] = line.split(' ');
      return /^[Tt]$/u.test(type) ? [{ address: BigInt(`0x${address}`), name }] : [];
    });
  const recorded = await recordPlanted(programs.folder, commandOf(stripped), { frequencyHz: 999 });
  const named = recorded.stacks.map((stack) => ({
    ...stack,
    user: stack.user.map((frame) => {
      const found = symbols.findLast((symbol) => symbol.address <= frame.address);
      return frame.file === stripped && found !== undefined ? { ...frame, name: found.name } : frame;
    }),
  }));
  // Not one is named after a neighbour.
  const own = recorded.stacks.flatMap((stack) => stack.user.filter((frame) => frame.file === stripped));
  expect(own.length).toBeGreaterThan(0);
  expect(own.filter((frame) => !frame.name.startsWith('[stripped+0x'))).toEqual([]);
  expectChains({ ...recorded, stacks: named });
  await expectComplete({ ...recorded, stacks: named });
});
