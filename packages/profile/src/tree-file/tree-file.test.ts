import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { profileFromText } from '../testing/index.ts';
import { buildTree } from '../views/build-tree.ts';
import { counted } from '../views/counted.ts';
import { type LimitedTree, limitTree } from '../views/limit-tree.ts';
import { decodeTree } from './decode-tree.ts';
import { encodeTree, HEADER_BYTES } from './tree-file.ts';

const head = {
  profileType: 'process_cpu:cpu:nanoseconds:cpu:nanoseconds',
  unit: 'nanoseconds',
  from: 1,
  until: 2.5,
  profiles: 3,
};
const drawn = limitTree(
  buildTree(
    profileFromText(`
  main  main@/usr/bin/α  main                     main
  parse draw             idle@[kernel.kallsyms]   tiny
  = 3   9007199254740993 -5                       1
`),
    0,
  ),
  { minValue: 2n },
);
const file = encodeTree(drawn, head);
/** One whose values are told by its counts: with remainders, and whole. */
const sampled = buildTree(
  profileFromText(`
  main  main@/usr/bin/α  main                     main
  parse draw             idle@[kernel.kallsyms]   tiny
  = 3   400              5                        1
`),
  0,
);
const { total: _total, self: _self, ...counts } = limitTree(sampled, { minValue: 2n });
const countedTree = counted(counts, 10_101_010);
const countedFile = encodeTree(counted(counts, 10_101_010), head);

test('a tree comes back as it went in, from wherever its bytes lie', () => {
  expect(decodeTree(file)).toEqual({ ok: true, head, tree: drawn });
  const shifted = new Uint8Array(file.length + 3);
  shifted.set(file, 3);
  expect(decodeTree(shifted.subarray(3))).toEqual({ ok: true, head, tree: drawn });
  expect(drawn.rest.some((rest) => rest > 0)).toBe(true);
});

test('of a tree whose values are told by its counts the counts alone are written', () => {
  expect(decodeTree(countedFile)).toEqual({ ok: true, head, tree: countedTree });
  expect(countedTree.total).toEqual(countedTree.total.map((_, row) => BigInt(counts.samples[row] ?? 0) * 10_101_010n));
  expect(countedTree.self[0]).toBe(0n);
  const { perSample: _, ...plain } = countedTree;
  expect(encodeTree(plain, head).length - countedFile.length).toBeGreaterThanOrEqual(24 * counts.parent.length - 16);
});

test('a tree without remainders comes back with none', () => {
  const decoded = decodeTree(encodeTree(sampled, head));
  expect(decoded).toEqual({ ok: true, head, tree: { ...sampled, rest: new Uint32Array(sampled.parent.length) } });
});

test('counts beyond 2^32 are written as they are, and their values with them', () => {
  const samples = counts.samples.map((count) => count * 2 ** 32);
  const large = counted({ ...counts, samples, selfSamples: samples }, 3);
  const decoded = decodeTree(encodeTree(large, head));
  const { perSample: _, ...plain } = counted({ ...counts, samples: samples.slice(), selfSamples: samples.slice() }, 3);
  expect(decoded).toEqual({ ok: true, head, tree: plain });
});

test.each([0, -1, 0.5, Number.NaN, 2 ** 53, Infinity])('samples that stand for %d each are refused', (perSample) => {
  const broken = countedFile.slice();
  new DataView(broken.buffer).setFloat64(32, perSample, true);
  expect(decodeTree(broken).ok).toBe(false);
});

test('strings are kept apart, also where the end of one and the beginning of the next make one character', () => {
  const halves = limitTree(
    buildTree(
      profileFromText(`
  main  main
  a     b
  = 1   1
`),
      0,
    ),
    { maxNodes: 10 },
  );
  // A profile is UTF-8 and has no halves of characters, but a tree may come from elsewhere.
  const frames = { ...halves.frames, name: ['root', 'x\u{d83d}', '\u{de00}y', 'é'] };
  const decoded = decodeTree(encodeTree({ ...halves, frames }, head));
  expect(decoded.ok && decoded.tree.frames.name).toEqual(['root', 'x\u{fffd}', '\u{fffd}y', 'é']);
});

const files = [
  ['any values', file],
  ['values that are told by counts', countedFile],
] as const;

test.each(files)('every cut of a tree with %s is refused, and so is what is appended', (_, whole) => {
  for (let length = 0; length < whole.length; length++) expect(decodeTree(whole.subarray(0, length)).ok).toBe(false);
  expect(decodeTree(Uint8Array.from([...whole, 0])).ok).toBe(false);
});

test('another version is refused in words', () => {
  const newer = file.slice();
  newer[4] = 3;
  expect(decodeTree(newer)).toEqual({ ok: false, message: 'this is no tree: it has version 3, and 2 is read here' });
});

function isWalkable({ frames, parent, frame }: LimitedTree): boolean {
  return parent.every((up, node) => (node === 0 ? up === 0 : up < node) && (frame[node] ?? 0) < frames.name.length);
}

test.each(files)('whatever bytes of a tree with %s are changed, what is taken can be walked', (_, whole) => {
  let taken = 0;
  const change = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const broken = whole.slice();
      for (const [at, value] of changes) broken[at] = value;
      const result = decodeTree(broken);
      if (!result.ok) return;
      taken++;
      expect(isWalkable(result.tree)).toBe(true);
    }),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(100);
});

test('lengths that nobody can have cost nothing', () => {
  for (let word = 2; word < 7; word++) {
    const huge = file.slice(0, HEADER_BYTES);
    new DataView(huge.buffer).setUint32(word * 4, 0xffff_ffff, true);
    expect(decodeTree(huge)).toMatchObject({ ok: false, message: expect.stringMatching(/its header says \d+$/) });
  }
});
