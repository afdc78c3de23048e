import { expect, test } from 'vitest';

import type { RuntimeFrame } from './frame-reader.ts';
import { FrameTable } from './frame-table.ts';

function frame(isWhole: boolean): RuntimeFrame {
  return { isWhole, unnamed: 0, show: () => [] };
}

test('a frame is told by its address, all 48 bits of it, and both words of its note', () => {
  const table = new FrameTable();
  const keys: (readonly [pc: number, low: number, high: number])[] = [
    [0x7f00_0000_1000, 1, 2],
    [0x7e00_0000_1000, 1, 2],
    [0x7f00_0000_1000, 2, 2],
    [0x7f00_0000_1000, 1, 0xffff_ffff],
  ];
  const frames = keys.map(() => frame(true));
  for (const [i, key] of keys.entries()) table.set(...key, frames[i], 1);
  expect(keys.map((key) => table.get(...key))).toEqual(frames);
  for (const [i, key] of keys.entries()) expect(table.get(...key)).toBe(frames[i]);
  expect(table.size).toBe(4);
  expect(table.has(0x1000, 1, 2)).toBe(false);
  expect(table.get(0x1000, 1, 2)).toBeUndefined();
});

test('it is whole in the generation of memory that all of it was read in', () => {
  const table = new FrameTable();
  table.set(1, 2, 3, frame(true), 7);
  expect([table.isWhole(1, 2, 3, 7), table.isWhole(1, 2, 3, 8), table.isWhole(1, 2, 4, 7)]).toEqual([
    true,
    false,
    false,
  ]);
  table.confirm(1, 2, 3, 8);
  table.confirm(1, 2, 4, 8);
  expect([table.isWhole(1, 2, 3, 7), table.isWhole(1, 2, 3, 8), table.has(1, 2, 4)]).toEqual([false, true, false]);
  table.set(1, 2, 3, frame(false), 8);
  expect(table.isWhole(1, 2, 3, 8)).toBe(false);
  // What could not be read is known to be that.
  table.set(1, 2, 3, undefined, 9);
  expect([table.has(1, 2, 3), table.get(1, 2, 3), table.isWhole(1, 2, 3, 9)]).toEqual([true, undefined, false]);
});
