import { expect, test } from 'vitest';

import { CopiedPython } from './copied-python.ts';
import { makePythonLayout, type PythonLayout } from './python-layout.ts';

function layoutOf(minor: number): PythonLayout {
  const layout = makePythonLayout({
    version: [3, minor],
    runtime: 0x5000n,
    loop: { start: 0x1000n, end: 0x2000n },
    glue: [],
    runtimeHead: undefined,
  });
  if (typeof layout === 'string') throw new Error(layout);
  return layout;
}

/** As bpf/python.h writes them: mark, number of notes, notes. */
function bytesOf(...segments: readonly (readonly [mark: bigint, ...notes: bigint[]])[]): Uint8Array {
  const words = segments.flatMap(([mark, ...notes]) => [mark, BigInt(notes.length), ...notes]);
  return new Uint8Array(BigUint64Array.from(words).buffer);
}

const bias = 0x10_0000;

function lowsOf(python: CopiedPython, address: number, sp: number): readonly number[] {
  return python.take(address, sp).map(({ low }) => low);
}

test('a segment goes to the native frame that holds its mark, and those in front of it with it', () => {
  const bytes = bytesOf(
    [0x7fff_0000_0100n, 1n, 2n],
    [0x7fff_0000_0200n],
    [0x7fff_0000_0300n, 3n],
    [0x7fff_0000_0400n, 4n],
  );
  const python = new CopiedPython({ layout: layoutOf(11), bias }, bytes);
  const sps = [0x7fff_0000_0080, 0x7fff_0000_0180, 0x7fff_0000_0280, 0x7fff_0000_0500, 0x7fff_0000_0600];
  expect(sps.map((sp) => lowsOf(python, 0, sp))).toEqual([[], [1, 2], [], [3, 4], []]);
});

test('up to 3.10 each native frame of the loop gets the next one', () => {
  const python = new CopiedPython({ layout: layoutOf(10), bias }, bytesOf([0n, 1n], [0n, 2n]));
  const addresses = [0x5000, bias + 0x1000, bias + 0x2000, bias + 0x1fff, bias + 0x1100];
  expect(addresses.map((address) => lowsOf(python, address, 2 ** 40))).toEqual([[], [1], [], [2], []]);
});

test('what is cut anywhere has the segments up to there', () => {
  const bytes = bytesOf([1n, 11n, 12n], [2n, 21n]);
  const counts = Array.from({ length: bytes.length + 1 }, (_, length) => {
    const python = new CopiedPython({ layout: layoutOf(12), bias }, bytes.slice(0, length));
    return python.take(0, 100).length;
  });
  expect(counts).toEqual(
    Array.from(counts, (_, length) => [0, 24, 32, 56].filter((each) => each > 0 && length >= each).length),
  );
});

test('a number of notes that cannot be right is cut to what is there', () => {
  const bytes = bytesOf([1n, 11n]);
  bytes.fill(0xff, 8, 16);
  expect(lowsOf(new CopiedPython({ layout: layoutOf(12), bias }, bytes), 0, 100)).toEqual([11]);
});
