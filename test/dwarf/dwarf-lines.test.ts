import { existsSync, globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { randomNumbers } from '../../packages/binary/src/testing/random.ts';
import { compareLines, DwarfOnDisk, drawAddresses } from '../judges/dwarf-judge.ts';
import { builds, problemsOf, withoutSymbols } from '../support/dwarf-builds.ts';

const folder = mkdtempSync(join(tmpdir(), 'everflame-dwarf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('programs compiled here', () => {
  test.each(builds.filter(({ isExtra }) => isExtra === true))('$name', (build) => {
    expect(problemsOf(build, folder)).toEqual([]);
  });
});

/** Of Debian's packages with debugging information (libc6-dbg, python3.11-dbg): the largest files. */
const systemFiles = existsSync('/usr/lib/debug/.build-id')
  ? globSync('/usr/lib/debug/.build-id/*/*.debug')
      .map((path) => ({ path, size: statSync(path).size }))
      .sort((a, b) => b.size - a.size)
      .slice(0, 20)
  : [];

describe('debug files of the system', () => {
  test('there are twenty (apt-get install libc6-dbg python3.11-dbg)', () => {
    expect(systemFiles).toHaveLength(20);
  });

  // Without symbols binutils' addr2line finds nothing in such files, which have no code: LLVM's is the judge.
  test.each(systemFiles)('$path', ({ path }) => {
    const copy = join(folder, basename(path));
    withoutSymbols(path, copy);
    const disk = new DwarfOnDisk(copy);
    try {
      const addresses = drawAddresses(disk.elf, 1000, randomNumbers(1));
      const { differences, judged } = compareLines(copy, 'llvm-addr2line', disk.lines, addresses);
      expect(differences).toEqual([]);
      expect(judged).toBeGreaterThan(100);
      expect(disk.lines.damagedUnits).toBe(0);
    } finally {
      disk.close();
      rmSync(copy);
    }
  });
});
