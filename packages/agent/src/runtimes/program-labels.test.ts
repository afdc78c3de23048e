import { expect, test } from 'vitest';

import { readProgramLabels } from './program-labels.ts';

/** As bpf/labels.h writes them; texts longer than 128 bytes are cut there. */
function words(labels: readonly (readonly [key: string, value: string])[], context = Buffer.alloc(0)): Uint32Array {
  const parts = [Buffer.from(Uint32Array.of(labels.length, context.length << 16).buffer), context];
  parts.push(Buffer.alloc((8 - (context.length % 8)) % 8));
  for (const [key, value] of labels) {
    const texts = [Buffer.from(key), Buffer.from(value).subarray(0, 128)];
    parts.push(Buffer.from(Uint32Array.from(texts, (text) => text.length).buffer));
    for (const text of texts) parts.push(text, Buffer.alloc((8 - (text.length % 8)) % 8));
  }
  const all = Buffer.concat(parts);
  return new Uint32Array(all.buffer, all.byteOffset, all.length / 4);
}

test('keys and values of every length, in their order; of an empty value there is no label', () => {
  const texts = Array.from({ length: 18 }, (_, i) => ['k'.repeat(i + 1), 'v'.repeat(i)] as const);
  expect(readProgramLabels(words(texts), [], [])).toEqual(texts.slice(1).map(([key, text]) => ({ key, text })));
});

test('none where there are no words', () => {
  expect(readProgramLabels(new Uint32Array(0), [], [])).toEqual([]);
});

test.each([
  ['ü', 2],
  ['語', 3],
  ['🙂', 4],
])('a value that was cut in the middle of %s ends before it', (character, bytes) => {
  for (let before = 0; before < bytes; before++) {
    const value = 'x'.repeat(before) + character.repeat(200);
    const [label] = readProgramLabels(words([['long', value]]), [], []);
    const whole = Math.floor((128 - before) / bytes);
    expect(label?.text).toBe('x'.repeat(before) + character.repeat(whole));
  }
});

test('of a key that is there twice the last one counts, and one of ours is renamed', () => {
  const labels = words([
    ['route', 'a'],
    ['thread_name', 'mine'],
    ['route', 'b'],
  ]);
  expect(readProgramLabels(labels, [{ key: 'thread_name' }], [])).toEqual([
    { key: 'route', text: 'b' },
    { key: 'program_thread_name', text: 'mine' },
  ]);
});

test('a thread’s context comes before the labels of its goroutine', () => {
  const context = Buffer.alloc(28, 0x11, 'latin1');
  context.writeUInt16LE(0, 26);
  expect(readProgramLabels(words([['route', 'a']], context), [{ key: 'span_id' }], [])).toEqual([
    { key: 'trace_id', text: '11'.repeat(16) },
    { key: 'program_span_id', text: '11'.repeat(8) },
    { key: 'route', text: 'a' },
  ]);
});
