import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { profileFromText } from '../testing/index.ts';
import { buildTree } from '../views/build-tree.ts';
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

test('a tree comes back as it went in, from wherever its bytes lie', () => {
  expect(decodeTree(file)).toEqual({ ok: true, head, tree: drawn });
  const shifted = new Uint8Array(file.length + 3);
  shifted.set(file, 3);
  expect(decodeTree(shifted.subarray(3))).toEqual({ ok: true, head, tree: drawn });
  expect(drawn.rest.some((rest) => rest > 0)).toBe(true);
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

test('strings are kept apart, also where the end of one and the beginning of the next would make one character', () => {
  const profile = profileFromText(`
  main  main
  a     b
  = 1   1
`);
  const tree = limitTree(buildTree(profile, 0), { maxNodes: 10 });
  // A profile is UTF-8, where there are no halves of characters.
  const frames = { ...tree.frames, name: ['root', 'x\u{d83d}', '\u{de00}y', 'é'] };
  const decoded = decodeTree(encodeTree({ ...tree, frames }, head));
  expect(decoded.ok && decoded.tree.frames.name).toEqual(['root', 'x\u{fffd}', '\u{fffd}y', 'é']);
});

test('every cut is refused, and so is what is appended', () => {
  for (let length = 0; length < file.length; length++) expect(decodeTree(file.subarray(0, length)).ok).toBe(false);
  expect(decodeTree(Uint8Array.from([...file, 0])).ok).toBe(false);
});

test('another version is refused in words', () => {
  const newer = file.slice();
  newer[4] = 2;
  expect(decodeTree(newer)).toEqual({ ok: false, message: 'this is no tree: it has version 2, and 1 is read here' });
});

function isWalkable({ frames, parent, frame }: LimitedTree): boolean {
  return parent.every((up, node) => (node === 0 ? up === 0 : up < node) && (frame[node] ?? 0) < frames.name.length);
}

test('whatever bytes are changed, what is taken can be walked', () => {
  let taken = 0;
  const change = fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const broken = file.slice();
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
