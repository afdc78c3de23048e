import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, test } from 'vitest';

import { expectGoLabels } from '../runtimes/judge-go-labels.ts';
import { buildGo } from '../support/go-programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'everflame-go-'));
afterAll(() => rmSync(folder, { recursive: true }));

const stripped = '-ldflags=-s -w';

test.each([
  ['plain', []],
  ['stripped', [stripped]],
  ['position-independent', [stripped, '-buildmode=pie']],
])('labels of goroutines of a %s program are those of its own profile', async (name, flags) => {
  const program = join(folder, name);
  buildGo('go-labels', program, { flags });
  await expectGoLabels(program, 2500);
});

test('labels of goroutines where the kernel has no bpf_loop', async () => {
  const program = join(folder, 'by-calls');
  buildGo('go-labels', program);
  await expectGoLabels(program, 2500, [{ hasLoop: false, growsHash: false }]);
});
