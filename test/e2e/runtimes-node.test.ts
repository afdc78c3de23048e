import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { expectPlanted } from '../runtimes/judge-node.ts';
import { repositoryRoot } from '../support/everflame-process.ts';
import { judgePlanted, recordPlantedScript } from '../support/javascript-stacks.ts';
import { readTruth } from '../support/five-functions.ts';
import { countOf, recordProgram } from '../support/runtime-stacks.ts';
import { samplingError } from '../support/sampling-interval.ts';
import { Workloads } from '../workloads/compile.ts';

const workloads = new Workloads();
afterAll(() => workloads.remove());

test('Node.js without flags: functions, lines and native code between', async () => {
  await expectPlanted(process.execPath, [], 2500, 'names');
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

test('an addon that is called by JavaScript calls it, and is called again: each frame in its place', async () => {
  const addon = workloads.compile('runtimes/addon', { name: 'addon.node', flags: ['-shared', '-fPIC', '-O2'] });
  const truthFile = join(workloads.folder, 'truth');
  const script = join(repositoryRoot, 'test/workloads/runtimes/addon.cjs');
  const { stacks } = await recordProgram(process.execPath, [script, addon, '2500', truthFile], 499);
  const chains = [
    ['outer', 'call_back', 'native_before'],
    ['outer', 'call_back', 'callback', 'inScript'],
    ['outer', 'call_back', 'callback', 'leaf', 'native_leaf'],
  ];
  const planted = new Set(chains.flat());
  const judged = stacks
    .filter(({ frames }) => frames.some(({ name }) => name === 'outer'))
    .map(({ count, frames }) => ({ count, own: frames.map(({ name }) => name).filter((name) => planted.has(name)) }));
  const n = countOf(judged);
  expect(n).toBeGreaterThan(500);
  const wrong = judged.filter(({ own }) => !chains.some((chain) => own.every((name, i) => name === chain[i])));
  expect(countOf(wrong) / n < 0.01 ? [] : wrong.slice(0, 5)).toEqual([]);
  const nameless = stacks.filter(({ frames }) =>
    frames.some(({ name }) => /^\[(?:anon|unmapped|addon\.node)/u.test(name)),
  );
  expect(countOf(nameless) / n).toBeLessThan(0.01);
  const truth = readTruth(truthFile);
  const all = [...truth.values()].reduce((sum, ns) => sum + ns, 0);
  const inParts = judged.filter(({ own }) => truth.has(own.at(-1) ?? ''));
  const differing = [...truth].filter(([name, ns]) => {
    const seen = countOf(inParts.filter(({ own }) => own.at(-1) === name)) / countOf(inParts);
    return Math.abs(seen - ns / all) > samplingError(ns / all, countOf(inParts));
  });
  expect(differing).toEqual([]);
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
