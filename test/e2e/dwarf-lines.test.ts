import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { builds, problemsOf } from '../support/dwarf-builds.ts';

const folder = mkdtempSync(join(tmpdir(), 'everflame-dwarf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const usual = builds.filter(({ isExtra }) => isExtra !== true);

test('programs of all compilers are among those judged', () => {
  expect(new Set(usual.map(({ source }) => source)).size).toBe(4);
  expect(usual.length).toBeGreaterThanOrEqual(20);
});

test.each(usual)('lines and inlined functions at 1,000 addresses are as addr2line has them: $name', (build) => {
  expect(problemsOf(build, folder)).toEqual([]);
});
