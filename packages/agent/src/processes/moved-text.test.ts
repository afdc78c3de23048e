import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { holdsText, isAnonymous, textBelow, textBesideFiles } from './moved-text.ts';
import { parseMaps } from './proc-scan.ts';
import type { ProcessMapping } from './process.ts';

const file = { buildId: '', device: 'fe:00', inode: 7n };
const at = (path: string, start: bigint, end: bigint, fileOffset = 0n): ProcessMapping => ({
  ...file,
  path,
  start,
  end,
  fileOffset,
});
const draw = (mappings: readonly ProcessMapping[]): string[] =>
  mappings.map(
    ({ start, end, fileOffset, path }) =>
      `${start.toString(16)}-${end.toString(16)} ${fileOffset.toString(16)} ${path}`,
  );

test('below anonymous memory lie the parts of files that were mapped there', () => {
  const mappings = [
    at('/bin/a', 0x1000n, 0x4000n, 0x1000n),
    at('//anon', 0x4000n, 0x5000n),
    at('/lib/b', 0x6000n, 0x9000n, 0x2000n),
  ];
  expect(draw(textBelow(mappings, at('//anon', 0x2000n, 0x8000n)))).toEqual([
    '2000-4000 2000 /bin/a',
    '6000-8000 2000 /lib/b',
  ]);
  expect(textBelow(mappings, at('//anon', 0x9000n, 0xa000n))).toEqual([]);
});

test('anonymous code that continues a file may be its text', () => {
  const maps = [
    '1000-2000 r--p 00000000 fe:00 7 /bin/a',
    '2000-3000 r-xp 00001000 fe:00 7 /bin/a',
    '3000-5000 r-xp 00000000 00:00 0 ',
    '5000-6000 r-xp 00004000 fe:00 7 /bin/a',
    '6000-7000 rw-p 00000000 00:00 0 ',
    '8000-9000 r-xp 00000000 00:00 0 ',
    '9000-a000 r--p 00000000 fe:00 8 /lib/b',
    'a000-b000 r-xp 00000000 00:0f 9 /anon_hugepage (deleted)',
    'c000-d000 r-xp 00000000 00:00 0 [vdso]',
  ].join('\n');
  expect(draw(textBesideFiles(`${maps}\n`))).toEqual(['3000-5000 2000 /bin/a', 'a000-b000 1000 /lib/b']);
});

test('anonymous is what has no file, whatever the size of its pages', () => {
  const paths = ['', '//anon', '[anon:text]', '/anon_hugepage (deleted)', '/bin/a', '[vdso]', '/memfd:a (deleted)'];
  expect(paths.filter((path) => isAnonymous(path))).toEqual(['', '//anon', '[anon:text]', '/anon_hugepage (deleted)']);
});

describe('of this process', () => {
  const own = parseMaps(readFileSync('/proc/self/maps', 'utf8')).find(({ path }) => path === process.execPath);
  if (own === undefined) throw new Error(`${process.execPath} is not mapped`);
  const here = { pid: process.pid, executablePath: process.execPath };

  test('its text is what its file has', () => {
    expect(holdsText({ ...here, text: own }, '/proc')).toBe(true);
    expect(holdsText({ ...here, executablePath: '/another', text: own }, '/proc')).toBe(true);
  });

  test.each([
    ['another place of the file', { ...own, fileOffset: own.fileOffset + 0x1000n }],
    ['a part of the file that is not there', { ...own, fileOffset: 1n << 40n }],
    ['another file', { ...own, path: '/usr/bin/env' }],
    ['a file that is none', { ...own, path: '/dev/zero' }],
    ['no file', { ...own, path: '/nonexistent' }],
    ['memory that is not there', { ...own, start: 0x1000n, end: 0x3000n }],
  ])('%s is not', (_, text) => {
    expect(holdsText({ ...here, executablePath: '/another', text }, '/proc')).toBe(false);
  });
});
