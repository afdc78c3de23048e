import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { addSourceRoot } from './parse-source-root.ts';

test('a folder of source has the name that profiles give it; several are apart by colons or given one by one', () => {
  const first = addSourceRoot('/srv/app/', undefined);
  expect(addSourceRoot('github.com/x=/go/x:web', first)).toEqual([
    { prefix: '/srv/app', dir: '/srv/app' },
    { prefix: 'github.com/x', dir: '/go/x' },
    { prefix: resolve('web'), dir: resolve('web') },
  ]);
});

test.each(['', '/', '=/srv', '/=/srv', '/build=', '/build=/', '/srv:'])('%j is no folder of source', (text) => {
  expect(() => addSourceRoot(text, undefined)).toThrow('expected a folder');
});
