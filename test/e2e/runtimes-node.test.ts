import { join } from 'node:path';

import { expect, test } from 'vitest';

import { expectPlanted } from '../runtimes/judge-node.ts';
import { repositoryRoot } from '../support/everflame-process.ts';
import { judgePlanted, recordPlantedScript } from '../support/javascript-stacks.ts';
import { nodeOfMajor } from '../support/node-versions.ts';
import { countOf, recordProgram } from '../support/runtime-stacks.ts';

test.each([24, 20])('Node.js %i without flags: functions, lines and native code between', async (major) => {
  await expectPlanted(nodeOfMajor(major), [], 2500, 'names');
});

test('functions of a worker thread are named', async () => {
  const recording = await recordPlantedScript(process.execPath, [], 2500, ['worker']);
  // Where the C library's own symbols are not installed, the thread's first function has none.
  const verdict = judgePlanted(recording.stacks, /^(?:clone3|\[libc\.so\.6\+0x[0-9a-f]+\])$/);
  expect(verdict.total).toBeGreaterThan(300);
  expect(verdict.whole / verdict.total).toBeGreaterThan(0.99);
});

test('with --perf-basic-prof as without', async () => {
  const recording = await recordPlantedScript(process.execPath, ['--perf-basic-prof'], 1500);
  const verdict = judgePlanted(recording.stacks, /^_start$/);
  expect(verdict.whole / verdict.total).toBeGreaterThan(0.99);
});

test('a process that lives 200 ms is named', async () => {
  const script = join(repositoryRoot, 'test/workloads/runtimes/brief.cjs');
  const { stacks } = await recordProgram(process.execPath, [script, '10'], 499);
  const brief = stacks.filter(({ frames }) => frames.some(({ name }) => name === 'briefly'));
  // Of children, in JavaScript: the parent runs `atLength` and waits.
  const children = stacks.filter(({ frames }) => {
    const isRun = frames.some(({ name }) => name.startsWith('node::LoadEnvironment'));
    const names = new Set(frames.map(({ name }) => name));
    return isRun && !names.has('atLength') && (names.has('briefly') || names.has('[anon]'));
  });
  const nameless = stacks.filter(({ frames }) => frames.some(({ name }) => name === '[anon]'));
  expect(countOf(brief)).toBeGreaterThan(10);
  expect(countOf(brief) / (countOf(children) + countOf(nameless))).toBeGreaterThan(0.9);
});
