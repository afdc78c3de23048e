import { expect, test } from 'vitest';
import { parseV8Name } from './v8-name.ts';

test('all tiers of a function are that function, with its place', () => {
  const place = 'file:///shop/invoice.mjs:44:30';
  for (const tier of ['', '~', '^', '+', "+'", '*', "*'"]) {
    expect(parseV8Name(`JS:${tier}renderInvoice ${place}`)).toEqual({
      name: 'renderInvoice',
      file: 'file:///shop/invoice.mjs',
      line: 44,
    });
  }
});

test.each([
  ['LazyCompile:*Parser.parse /srv/a b/parser.js:10:3', { name: 'Parser.parse', file: '/srv/a b/parser.js', line: 10 }],
  ['JS:~ node:internal/timers:515:20', { name: '(anonymous) timers:515', file: 'node:internal/timers', line: 515 }],
  [
    'JS:~processTicksAndRejections node:internal/process/task_queues:65:35',
    { name: 'processTicksAndRejections', file: 'node:internal/process/task_queues', line: 65 },
  ],
  ['Script:~ file:///x.mjs:1:1', { name: '(anonymous) x.mjs:1', file: 'file:///x.mjs', line: 1 }],
  ['JS:*größe /x.js:2:1', { name: 'größe', file: '/x.js', line: 2 }],
  ['JS:*alone', { name: 'alone', file: '', line: 0 }],
])('%s', (text, expected) => {
  expect(parseV8Name(text)).toEqual(expected);
});

test.each(['Builtin:ArrayMap', 'RegExp:a.*b', 'BytecodeHandler:Ldar', 'main', 'Java:com.x.Y', '', 'JSON:x y'])(
  'a name that is no JavaScript function stays as it is: %j',
  (text) => {
    expect(parseV8Name(text)).toBeUndefined();
  },
);
