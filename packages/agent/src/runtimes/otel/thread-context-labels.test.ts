import { expect, test } from 'vitest';

import { readThreadContext } from './thread-context-labels.ts';

const trace = Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex');
const span = Buffer.from('b7ad6b7169203331', 'hex');
const ids = [
  { key: 'trace_id', text: '0af7651916cd43dd8448eb211c80319c' },
  { key: 'span_id', text: 'b7ad6b7169203331' },
];

function record(attributes: readonly (readonly [index: number, text: string])[], size?: number): Buffer {
  const parts = attributes.flatMap(([index, text]) => [Buffer.of(index, Buffer.byteLength(text)), Buffer.from(text)]);
  const all = Buffer.concat(parts);
  const head = Buffer.alloc(4);
  head[0] = 1;
  head.writeUInt16LE(size ?? all.length, 2);
  return Buffer.concat([trace, span, head, all]);
}

test('ids in the form of W3C, attributes by their names, the last of equal ones', () => {
  const attributes = [
    [0, '/shop'],
    [2, 'first'],
    [1, 'of no name'],
    [9, 'of no index'],
    [2, 'zoë'],
  ] as const;
  expect(readThreadContext(record(attributes), ['http.route', '', 'user'])).toEqual([
    ...ids,
    { key: 'http_route', text: '/shop' },
    { key: 'user', text: 'zoë' },
  ]);
});

test('ids of zeros are none', () => {
  const bytes = record([[0, '/shop']]);
  bytes.fill(0, 0, 24);
  expect(readThreadContext(bytes, ['route'])).toEqual([{ key: 'route', text: '/shop' }]);
});

test('whatever the sizes say, nothing behind the record is read', () => {
  const bytes = record([[0, 'a'.repeat(200)]]);
  for (let length = 0; length <= bytes.length; length++) {
    for (const size of [0, 1, 2, 202, 0xffff]) {
      bytes.writeUInt16LE(size, 26);
      const labels = readThreadContext(bytes.subarray(0, length), ['route']);
      const isWhole = length === bytes.length && size >= 202;
      expect(labels).toEqual(length < 28 ? [] : isWhole ? [...ids, { key: 'route', text: 'a'.repeat(200) }] : ids);
    }
  }
});
