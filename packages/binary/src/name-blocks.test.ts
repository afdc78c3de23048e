import { expect, test } from 'vitest';
import { NameBlocks } from './name-blocks.ts';

test('every name is given back by its number, from full blocks and from the one being filled', () => {
  const names = new NameBlocks();
  const texts = Array.from({ length: 1000 }, (_, i) => (i % 7 === 0 ? '' : `_ZN3foo${'x'.repeat(i)}Ev`));
  for (const [i, text] of texts.entries()) expect(names.add(Buffer.from(text))).toBe(i);
  expect(names.length).toBe(texts.length);
  for (const [i, text] of texts.entries()) expect(names.get(i)).toBe(text);
  for (const i of [999, 0, 512, 255, 256, 767, 3]) expect(names.get(i)).toBe(texts[i]);
});

test('a name ends at its first NUL, may be a part of the bytes, and is cut at 16 KiB', () => {
  const names = new NameBlocks();
  names.add(Buffer.from('abc\0def'));
  names.add(Buffer.from('abcdef'), 2, 4);
  names.add(Buffer.from('y'.repeat(100_000)));
  expect([names.get(0), names.get(1), names.get(2).length]).toEqual(['abc', 'cd', 16 * 1024]);
});

test('bytes that are no UTF-8 become replacement characters, and unknown numbers are refused', () => {
  const names = new NameBlocks();
  names.add(Uint8Array.of(0x61, 0xff, 0x62));
  expect(names.get(0)).toBe('a\u{FFFD}b');
  expect(() => names.get(1)).toThrow(RangeError);
  expect(() => names.get(-1)).toThrow(RangeError);
});

test('a thousand mangled names cost less than a quarter of their text', () => {
  const names = new NameBlocks();
  let bytes = 0;
  for (let i = 0; i < 1024; i++) {
    const text = `_ZN4llvm8LoopInfo10invalidateERNS_8Function${i * 7919}ERKNS_17PreservedAnalysesE`;
    bytes += text.length;
    names.add(Buffer.from(text));
  }
  expect(names.byteLength).toBeGreaterThan(0);
  expect(names.byteLength).toBeLessThan(bytes / 4);
});
