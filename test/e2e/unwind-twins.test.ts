/** The unwinder of the kernel part and its twin in TypeScript are one: the same vectors run through both. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { machines, openUnwindVector, unwindStack, type UnwindVector } from '@everflame/binary';
import { afterAll, expect, test } from 'vitest';
import { randomVectors } from '../judges/random-vectors.ts';
import { isLong } from '../support/long.ts';
import { WalkInC, type WalkResult } from '../judges/walk-in-c.ts';

const stacks = isLong ? 4000 : 1500;
const mostFrames = 512;
const folder = join(import.meta.dirname, '../corpus/unwind/vectors');
const inC = new WalkInC();
afterAll(() => inC.remove());

function walkInTypeScript(vector: UnwindVector): WalkResult {
  const { state, memory, mappings } = openUnwindVector(vector);
  const { addresses, guessedFrom, end } = unwindStack(state, memory, mappings, mostFrames);
  return { end, guessedFrom, addresses: addresses.map((each) => `0x${each.toString(16)}`) };
}

test('stacks that were met in real processes are walked in C as their judge says', () => {
  const vectors = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as UnwindVector);
  expect(vectors.length).toBeGreaterThan(8);
  const walked = inC.walk(vectors).map(({ end, addresses }) => ({ end, addresses }));
  expect(walked).toEqual(vectors.map(({ expected: { end, addresses } }) => ({ end, addresses })));
});

for (const [name, machine] of [
  ['x86-64', machines.x86_64],
  ['i386', machines.i386],
  ['AArch64', machines.aarch64],
] as const) {
  test(`${stacks} random stacks with random tables of ${name} are walked alike`, () => {
    const vectors = randomVectors(machine, stacks);
    const expected = vectors.map(walkInTypeScript);
    // The kernel part gives up and copies where the program runs in no mapping: one may be there that it does not know yet.
    const found = inC.walk(vectors).map((each, i) => {
      const twin = expected[i];
      return each.end === 'unknown' && twin?.end === 'no_mapping' ? twin : each;
    });
    expect(found).toEqual(expected);
    // Every way out is met, so that each was compared.
    const ends = [
      'complete',
      'no_mapping',
      'gap',
      'bad_read',
      'lost_register',
      'stack_order',
      'zero_return',
      'no_table',
    ];
    const rare = ends.filter((end) => expected.filter((each) => each.end === end).length < 4);
    expect(rare).toEqual([]);
  });
}
