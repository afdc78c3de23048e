import { expect, test } from 'vitest';

import { isNote, readNote } from './frame-note.ts';

/** As bpf/v8.h puts a note together. */
function note(kind: bigint, place: bigint, object: bigint): { low: number; high: number } {
  const word = (kind << 62n) | (place << 44n) | (object >> 3n);
  return { low: Number(word & 0xffff_ffffn), high: Number(word >> 32n) };
}

test('a note is told from addresses of programs and of the kernel', () => {
  const highs = [0x0000_7fff, 0x00ff_ffff, 0xffff_8000, 0xff00_0000];
  expect(highs.map(isNote)).toEqual([false, false, false, false]);
  expect([note(1n, 0n, 8n), note(2n, 262_143n, 0x7fff_ffff_fff8n)].map(({ high }) => isNote(high))).toEqual([
    true,
    true,
  ]);
});

test('the object and the place come out as they went in', () => {
  const { low, high } = note(1n, 1234n, 0x1234_5678_9ab9n);
  expect(readNote(low, high)).toEqual({ object: 0x1234_5678_9ab8, place: 1234 });
  const compiled = note(2n, 262_143n, 0x7fff_ffff_fff9n);
  expect(readNote(compiled.low, compiled.high)).toEqual({ object: 0x7fff_ffff_fff8, place: undefined });
});
