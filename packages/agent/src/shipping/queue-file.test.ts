import { expect, test } from 'vitest';
import { decodeQueueFile, encodeQueueFileHeader } from './queue-file.ts';

const payload = Buffer.from('a batch, compressed');
const file = Buffer.concat([encodeQueueFileHeader(payload, 1_800_000_000_123), payload]);

test('what was written is read back', () => {
  expect(decodeQueueFile(file)).toEqual({ kind: 'intact', payload, writtenUnixMs: 1_800_000_000_123 });
});

test('a file cut off anywhere is damaged, and so is one with bytes behind its end', () => {
  const kinds = Array.from(file, (_, length) => decodeQueueFile(file.subarray(0, length)).kind);
  expect(new Set(kinds)).toEqual(new Set(['damaged']));
  expect(decodeQueueFile(Buffer.concat([file, Buffer.of(0)])).kind).toBe('damaged');
});

test('every flipped bit but those of the time is noticed', () => {
  const unnoticed: number[] = [];
  for (let bit = 0; bit < file.length * 8; bit++) {
    const flipped = Buffer.from(file);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (decodeQueueFile(flipped).kind === 'intact') unnoticed.push(bit >> 3);
  }
  expect([...new Set(unnoticed)]).toEqual([16, 17, 18, 19, 20, 21, 22, 23]);
});

test('a newer format is refused in words', () => {
  const newer = Buffer.from(file);
  newer.writeUInt16LE(2, 4);
  expect(decodeQueueFile(newer)).toEqual({
    kind: 'damaged',
    reason: 'format version 2; this agent reads version 1',
  });
});
