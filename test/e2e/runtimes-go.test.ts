import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { record } from '@everflame/agent';
import { afterAll, expect, test } from 'vitest';

import { expectGoLabels } from '../runtimes/judge-go-labels.ts';
import { buildGo } from '../support/go-programs.ts';
import { samplesOf, total } from './agent-samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'everflame-go-'));
afterAll(() => rmSync(folder, { recursive: true }));

const stripped = '-ldflags=-s -w';

test.each([
  ['stripped', [stripped]],
  ['position-independent', [stripped, '-buildmode=pie']],
])('labels of goroutines of a %s program are those of its own profile', async (name, flags) => {
  const program = join(folder, name);
  buildGo('go-labels', program, { flags });
  await expectGoLabels(program, 1800);
});

test('labels of goroutines of a plain program where the kernel has no bpf_loop', async () => {
  const program = join(folder, 'by-calls');
  buildGo('go-labels', program);
  await expectGoLabels(program, 1800, [{ hasLoop: false, growsHash: false }]);
});

/** Functions of test/workloads/go-callbacks from each leaf to the goroutine's entry. */
const callers = ['c_enter', 'main.measured', 'runtime.goexit'];
const chains = [
  ['main.goWork', 'main.goCallback', ...callers],
  ['c_work', 'main.goCallback', ...callers],
  ['c_work', ...callers],
];

test('Go that calls C that calls Go: each stack goes through all of them to the goroutine’s entry', async () => {
  const program = join(folder, 'callbacks');
  buildGo('go-callbacks', program, { hasC: true });
  const { profile } = await record({
    frequencyHz: 499,
    target: { kind: 'command', command: program, arguments: ['1500'] },
    stdio: 'ignore',
  });
  const samples = samplesOf(profile).filter(({ functions }) =>
    functions.some((name) => name === 'main.goWork' || name === 'c_work'),
  );
  const own = new Set(chains.flat());
  const right = samples.filter(({ functions }) => {
    const found = functions.filter((name) => own.has(name)).join();
    return chains.some((chain) => chain.join() === found) && functions.at(-1) === 'runtime.goexit';
  });
  const wrong = samples.filter((sample) => !right.includes(sample)).map(({ functions }) => functions.join(' < '));
  console.info(JSON.stringify({ samples: total(samples), right: total(right), wrong: wrong.slice(0, 3) }));
  expect(total(samples)).toBeGreaterThan(100);
  expect(total(right) / total(samples)).toBeGreaterThanOrEqual(0.99);
});
