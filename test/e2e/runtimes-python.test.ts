import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { expectPlantedPython, expectShapes } from '../runtimes/judge-python.ts';
import { expectThreadNames } from '../runtimes/judge-python-threads.ts';
import { repositoryRoot } from '../support/everflame-process.ts';
import { countOf, recordProgram } from '../support/runtime-stacks.ts';

/** The distribution's, stripped; 3.11 in Debian 12. */
const python = '/usr/bin/python3';
const version = execFileSync(python, ['-c', 'import sys; print(sys.version_info[1])'], { encoding: 'utf8' });
const frequencyHz = 499;
const minor = Number(version);
const isQualified = minor >= 11;

test('Python without flags: functions, lines, shares, and C code between', async () => {
  await expectPlantedPython(python, 3000, { isQualified });
});

test('functions of a thread are named', async () => {
  // Where the C library's own symbols are not installed, the thread's first function has none.
  const root = /^(?:clone3|\[libc\.so\.6\+0x[0-9a-f]+\])$/u;
  await expectPlantedPython(python, 2000, { isQualified, rest: ['thread'], root });
});

test('coroutines, generators, one of 40 threads, a forked process and a second interpreter', async () => {
  await expectShapes(python, isQualified);
});

test('names that a program has given its threads are labels of their samples', async () => {
  await expectThreadNames(python);
});

test('processes that live 200 ms are named for as long as they ran', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'everflame-brief-'));
  const truth = join(folder, 'truth');
  const script = join(repositoryRoot, 'test/workloads/runtimes/brief.py');
  const { stacks } = await recordProgram(python, [script, '15', truth], frequencyHz);
  const ranMs = readFileSync(truth, 'ascii')
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line), 0);
  rmSync(folder, { recursive: true });
  const named = countOf(stacks.filter(({ frames }) => frames.some(({ name }) => name === 'briefly')));
  const expected = (ranMs / 1000) * frequencyHz;
  console.info(JSON.stringify({ named, expected: Math.round(expected) }));
  expect(expected).toBeGreaterThan(300);
  expect(named / expected).toBeGreaterThan(0.9);
});

// The lies are about where 3.11 keeps what it lies about.
test.skipIf(minor !== 11)('a process that lies about its frames loses names, no samples', async () => {
  const script = join(repositoryRoot, 'test/workloads/runtimes/lying.py');
  const { stacks, losses } = await recordProgram(python, [script, '500'], frequencyHz);
  const endless = stacks.filter(({ frames }) => frames.filter(({ name }) => name === 'lies').length > 400);
  const nameless = stacks.filter(({ frames }) => frames.some(({ name }) => name.startsWith('_PyEval_EvalFrame')));
  console.info(JSON.stringify({ endless: countOf(endless), nameless: countOf(nameless), losses }));
  // 500 ms of each are 250 samples.
  expect(countOf(endless)).toBeGreaterThan(200);
  expect(endless.every(({ frames }) => frames[0]?.name === '[stack cut: depth]')).toBe(true);
  expect(losses['stacks_truncated/depth']).toBe(countOf(endless));
  expect(countOf(nameless)).toBeGreaterThan(200);
});
