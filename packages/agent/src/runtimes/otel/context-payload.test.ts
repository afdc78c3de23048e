import { expect, test } from 'vitest';

import { readContextPayload } from './context-payload.ts';
import { encodeContext } from './testing/encode-context.ts';

const threads = {
  'threadlocal.schema_version': 'tlsdesc_v1_dev',
  'threadlocal.attribute_key_map': ['http.route', 7, 'user'],
};

test('texts of the resource, and names of attributes by index, of which one is no text', () => {
  const bytes = encodeContext({ 'service.name': 'shop', 'process.pid': 12, 'service.version': '1.2' }, threads);
  expect(readContextPayload(bytes)).toEqual({
    resource: new Map([
      ['service.name', 'shop'],
      ['service.version', '1.2'],
    ]),
    attributeNames: ['http.route', '', 'user'],
  });
});

test.each([
  ['no schema', {}],
  ['a schema of another kind', { ...threads, 'threadlocal.schema_version': 'go_pprof_labels_v1' }],
])('threads of %s have no contexts that are read', (_, own) => {
  expect(readContextPayload(encodeContext({}, own))?.attributeNames).toBeUndefined();
});

test('a schema without names is one of ids alone', () => {
  const own = { 'threadlocal.schema_version': 'tls_v1' };
  expect(readContextPayload(encodeContext({}, own))?.attributeNames).toEqual([]);
});

test('long texts are left out, and of many attributes those behind the first 256', () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key${i}`, 'x']));
  const found = readContextPayload(encodeContext({ long: 'x'.repeat(5000), ...many }, {}))?.resource;
  expect(found?.has('long')).toBe(false);
  expect(found?.size).toBe(256);
});

test('what is cut or changed anywhere is read or refused, and nothing is thrown', () => {
  const bytes = encodeContext({ 'service.name': 'shop', 'process.pid': 12 }, threads);
  let refused = 0;
  for (let length = 0; length < bytes.length; length++) {
    if (readContextPayload(bytes.subarray(0, length)) === undefined) refused++;
  }
  for (let at = 0; at < bytes.length; at++) {
    for (const byte of [0, 1, 0x0b, 0x7f, 0x80, 0xff]) {
      const changed = bytes.slice();
      changed[at] = byte;
      if (readContextPayload(changed) === undefined) refused++;
    }
  }
  expect(refused).toBeGreaterThan(50);
  // Groups within groups, as deep as there is room for.
  expect(readContextPayload(new Uint8Array(65_536).fill(0x0b))).toBeUndefined();
});
