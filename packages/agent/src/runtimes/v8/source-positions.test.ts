import { assert as assertThat, nat, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';

import { baselineOffset } from './bytecode.ts';
import { decodeSourcePosition, findSourcePosition } from './source-positions.ts';

/** Of `outer` in test data: V8 13.6 and 14.6 made these of the same function, read from a process. The loop in it calls two inlined functions. */
const by13 = '3180041dacfdffff1f3787fbffff1f0d132f14af011c31a8faffff1f69341940111c094b074c098f01';
const by14 = '628004a601a4021a136a14de021c62a8faffff1fc601343240221c124b0e4c12';

function positions(hex: string, flagBits: number, most: number): string[] {
  const table = Buffer.from(hex, 'hex');
  const seen: string[] = [];
  for (let at = 0; at < most; at++) {
    const found = findSourcePosition(table, flagBits, at);
    const text = found === undefined ? '-' : `${found.offset}/${found.inlining}`;
    if (!(seen.at(-1) ?? '').endsWith(` ${text}`)) seen.push(`${at} ${text}`);
  }
  return seen;
}

test('places in the code lead to places in the script, and into inlined calls', () => {
  expect(positions(by13, 1, 284)).toEqual([
    '0 -',
    '24 127/-1',
    '38 42/1',
    '65 200/-1',
    '71 195/-1',
    '94 200/-1',
    '181 207/-1',
    '205 25/1',
    '257 38/1',
    '269 54/1',
    '277 61/1',
    '281 42/1',
  ]);
  expect(positions(by14, 2, 284)).toEqual([
    '0 -',
    '24 127/-1',
    '65 200/-1',
    '71 195/-1',
    '97 200/-1',
    '184 207/-1',
    '208 25/1',
    '257 38/1',
    '269 54/1',
    '277 61/1',
    '281 42/1',
  ]);
});

test('inlining positions as V8 writes them', () => {
  expect([0x1a0, 0x8000_00cc].map(decodeSourcePosition)).toEqual([
    { offset: 207, inlining: -1 },
    { offset: 101, inlining: 0 },
  ]);
});

test('baseline code leads to its bytecode', () => {
  // Bytecode 4 takes 1 byte, 5 takes 2, or 3 behind Wide (0).
  const sizes = Uint8Array.of(1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 5);
  const bytecode = Uint8Array.of(4, 5, 7, 0, 5, 7, 7, 4);
  const table = Uint8Array.of(10, 4, 6, 0x88, 0x01, 1);
  const offsets = [0, 9, 10, 13, 14, 19, 20, 155, 156, 157].map((pc) => baselineOffset(table, bytecode, sizes, pc));
  expect(offsets).toEqual([undefined, undefined, 0, 0, 1, 1, 3, 3, 7, undefined]);
});

test('whatever the tables hold, the answer is a place or none', () => {
  const bytes = uint8Array({ maxLength: 64 });
  assertThat(
    property(bytes, bytes, bytes, nat(5000), (table, bytecode, sizes, at) => {
      const position = findSourcePosition(table, 1, at);
      expect(position?.offset ?? 0).toBeGreaterThanOrEqual(-1);
      const offset = baselineOffset(table, bytecode, sizes.subarray(0, 3 * Math.floor(sizes.length / 3)), at);
      expect(offset ?? 0).toBeLessThanOrEqual(bytecode.length + 300);
    }),
  );
});
