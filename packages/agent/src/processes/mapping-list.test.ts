import { expect, test } from 'vitest';

import { findMapping, insertMapping, reconcileMappings } from './mapping-list.ts';
import type { ProcessMapping } from './process.ts';

/** `libc 10-30+2` is /libc mapped at pages 0x10 up to 0x30 from file page 2. */
function mapping(drawn: string, extra: Partial<ProcessMapping> = {}): ProcessMapping {
  const [, name = '', start = '', end = '', page = '0'] =
    /^(\S+) ([0-9a-f]+)-([0-9a-f]+)(?:\+([0-9a-f]+))?$/u.exec(drawn) ?? [];
  return {
    start: BigInt(`0x${start}000`),
    end: BigInt(`0x${end}000`),
    fileOffset: BigInt(`0x${page}000`),
    path: name === 'anon' ? '//anon' : `/${name}`,
    buildId: '',
    device: '',
    inode: 0n,
    ...extra,
  };
}

function draw(mappings: readonly ProcessMapping[]): string {
  const page = (address: bigint): string => (address >> 12n).toString(16);
  return mappings
    .map((each) => {
      const offset = each.fileOffset === 0n ? '' : `+${page(each.fileOffset)}`;
      return `${each.path.replace(/^\/+/u, '')} ${page(each.start)}-${page(each.end)}${offset}`;
    })
    .join(', ');
}

const list = (drawn: string): ProcessMapping[] => drawn.split(', ').map((each) => mapping(each));

test.each([
  ['before', 'b 20-30', 'a 10-20', 'a 10-20, b 20-30', false],
  ['after', 'a 10-20', 'b 30-40', 'a 10-20, b 30-40', false],
  ['between', 'a 10-20, c 30-40', 'b 20-30', 'a 10-20, b 20-30, c 30-40', false],
  ['over the end', 'a 10-20', 'b 18-30', 'a 10-18, b 18-30', true],
  ['over the start', 'a 20-30', 'b 10-28', 'b 10-28, a 28-30+8', true],
  ['inside', 'a 10-40', 'b 20-30', 'a 10-20, b 20-30, a 30-40+20', true],
  ['over several', 'a 10-20, b 20-30, c 30-40', 'd 18-38', 'a 10-18, d 18-38, c 38-40+8', true],
  ['exactly over another file', 'a 10-20', 'b 10-20', 'b 10-20', true],
  ['a larger part of the same file', 'a 10-20', 'a 10-30', 'a 10-30', false],
  ['another part of the same file', 'a 10-20', 'a 10-20+5', 'a 10-20+5', true],
  ['anonymous over anonymous memory', 'anon 10-40', 'anon 20-30', 'anon 10-20, anon 20-30, anon 30-40+20', false],
])('inserting %s', (_, before, added, after, isReplaced) => {
  const insertion = insertMapping(list(before), mapping(added));
  expect(draw(insertion.mappings)).toBe(after);
  expect(insertion.isReplaced).toBe(isReplaced);
});

test('what is there already leaves the very list', () => {
  const before = list('a 10-20, b 20-30');
  expect(insertMapping(before, mapping('b 20-30')).mappings).toBe(before);
  expect(insertMapping(before, mapping('b 20-20')).mappings).toBe(before);
});

test('a scan and a record of one file agree; two build IDs or inodes do not', () => {
  const scanned = mapping('a 10-20', { device: 'fd:01', inode: 7n });
  const recorded = mapping('a 10-20', { buildId: 'aa' });
  expect(insertMapping([scanned], recorded).isReplaced).toBe(false);
  expect(insertMapping([recorded], mapping('a 10-20', { buildId: 'bb' })).isReplaced).toBe(true);
  expect(insertMapping([scanned], mapping('a 10-20', { device: 'fd:01', inode: 8n })).isReplaced).toBe(true);
});

test('an address is found in its mapping, not in the gaps', () => {
  const mappings = list('a 10-20, b 30-40');
  const at = (address: bigint): string | undefined => findMapping(mappings, address)?.path;
  expect([0xffffn, 0x10000n, 0x1ffffn, 0x20000n, 0x30000n, 0x3ffffn, 0x40000n].map(at)).toEqual([
    undefined,
    '/a',
    '/a',
    undefined,
    '/b',
    '/b',
    undefined,
  ]);
});

test('reconciling with a scan keeps what is known, with its build ID, and drops what is gone', () => {
  const known = [mapping('a 10-20', { buildId: 'aa' }), mapping('b 20-30', { buildId: 'bb' })];
  const scanned = [mapping('a 10-20', { inode: 7n }), mapping('c 30-40', { inode: 8n })];
  const mappings = reconcileMappings(known, scanned);
  expect(draw(mappings)).toBe('a 10-20, c 30-40');
  expect(mappings[0]).toBe(known[0]);
});
