import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, test } from 'vitest';

import { buildGo, goToolchain } from '../support/go-programs.ts';
import { expectGoLabels } from './judge-go-labels.ts';

const folder = mkdtempSync(join(tmpdir(), 'everflame-go-versions-'));
afterAll(() => rmSync(folder, { recursive: true }));

// The copy of 1.19 that the go command fetches compiles nothing: it lacks a go.mod.
for (const minor of [18, 20, 21, 22, 23, 24, 25, 26]) {
  const compiler = goToolchain(minor);
  const absent = compiler === undefined ? ': not fetched on this machine' : '';
  test.skipIf(compiler === undefined)(`Go 1.${minor}, stripped: labels of goroutines${absent}`, async () => {
    const program = join(folder, `go-1.${minor}`);
    buildGo('go-labels', program, { compiler: compiler ?? '', flags: ['-ldflags=-s -w'] });
    await expectGoLabels(program, 2500);
  });
}
