import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SourceFiles } from './source-files.ts';

let dir: string;
let files: SourceFiles;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'everflame-source-'));
  const write = (path: string, text: string | Uint8Array) => {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  write('app/main.c', 'one\r\ntwo\nthree\n');
  write('app/src/deep/a b%é.mjs', 'export {};');
  write('app/wide.js', `${'x'.repeat(5000)}\n`);
  write('app/many.ts', 'line\n'.repeat(5000));
  write('app/large.c', Buffer.alloc(2 * 1024 * 1024 + 1, 0x61));
  write('app/largest.c', Buffer.alloc(2 * 1024 * 1024, 0x61));
  write('app/binary.c', new Uint8Array([0x61, 0, 0x62]));
  write('app/empty.c', '');
  write('app/.git/hook.sh', 'secret');
  write('app/.hidden.c', 'secret');
  write('app/keys.pem', 'secret');
  write('app/folder.c/inside', 'secret');
  write('secret.c', 'secret');
  write('app-secret/main.c', 'secret');
  symlinkSync('../secret.c', join(dir, 'app', 'link.c'));
  symlinkSync('main.c', join(dir, 'app', 'near.c'));
  symlinkSync('..', join(dir, 'app', 'up'));
  symlinkSync(dir, join(dir, 'app', 'out'));
  execFileSync('mkfifo', [join(dir, 'app', 'pipe.c')]);
  files = new SourceFiles([
    { prefix: join(dir, 'app'), dir: join(dir, 'app') },
    { prefix: '/build/x/', dir: join(dir, 'app', 'src') },
  ]);
});
afterAll(() => rmSync(dir, { recursive: true }));

const read = async (path: string, first = 1, last = 10) => files.read(path, first, last);
const reasonOf = async (path: string): Promise<string> => {
  const found = await read(path);
  return found.ok ? 'read' : found.reason;
};

test('lines of a file below a root, by its own name, by a prefix, and as V8 calls it', async () => {
  const main = join(dir, 'app', 'main.c');
  expect(await read(main)).toEqual({ ok: true, lines: ['one', 'two', 'three'], lineCount: 3 });
  expect(await read(main, 2, 2)).toEqual({ ok: true, lines: ['two'], lineCount: 3 });
  expect(await read(main, 4, 9)).toEqual({ ok: true, lines: [], lineCount: 3 });
  const text = { ok: true, lines: ['export {};'], lineCount: 1 };
  expect(await read('/build/x/deep/a b%é.mjs')).toEqual(text);
  expect(await read('file:///build/x/deep/a%20b%25%C3%A9.mjs')).toEqual(text);
  expect(await read(join(dir, 'app', 'empty.c'))).toEqual({ ok: true, lines: [], lineCount: 0 });
});

test('without a root nothing is read', async () => {
  const off = await new SourceFiles([]).read(join(dir, 'app', 'main.c'), 1, 1);
  expect(off).toMatchObject({ ok: false, reason: 'off', detail: expect.stringContaining('--source-root') as string });
});

test('nothing outside of the roots, hidden, behind a link or of another kind is read', async () => {
  const wrong = {
    '../secret.c': 'no_source',
    'src/../../secret.c': 'no_source',
    './main.c': 'no_source',
    'src//deep': 'no_source',
    '.git/hook.sh': 'no_source',
    '.hidden.c': 'no_source',
    'keys.pem': 'no_source',
    'main.c\0.c': 'no_source',
    '': 'no_source',
    'link.c': 'not_found',
    'near.c': 'not_found',
    'up/secret.c': 'not_found',
    'out/secret.c': 'not_found',
    'main.c/x.c': 'not_found',
    'folder.c': 'not_found',
    'pipe.c': 'not_found',
    'nowhere.c': 'not_found',
    'large.c': 'too_large',
    'binary.c': 'not_text',
  };
  const found = await Promise.all(
    Object.keys(wrong).map(async (path) => [path, await reasonOf(`${dir}/app/${path}`)] as const),
  );
  expect(Object.fromEntries(found)).toEqual(wrong);
  expect(await reasonOf(`${dir}/app/${'x'.repeat(300)}.c`)).toBe('not_found');
  expect(await reasonOf(`${dir}/app/${'x/'.repeat(3000)}y.c`)).toBe('no_source');
  // Written in another way, a path is still the same.
  expect(await reasonOf(`file://${dir}/app/%2e%2e/secret.c`)).toBe('no_source');
  expect(await reasonOf(`file://${dir}/app/..%2fsecret.c`)).toBe('no_source');
  expect(await reasonOf(`file://${dir}/app/%ff.c`)).toBe('not_found');
  for (const path of [`${dir}/secret.c`, `${dir}/app-secret/main.c`, '/etc/passwd', 'main.c', '', 'file://host/x.c']) {
    expect(await reasonOf(path)).toBe('elsewhere');
  }
});

test('an answer is bounded: 2,000 lines of 400 characters; a file of 2 MiB is read', async () => {
  const many = await read(join(dir, 'app', 'many.ts'), 100, 5000);
  expect(many).toMatchObject({ ok: true, lineCount: 5000 });
  expect(many.ok ? many.lines.length : 0).toBe(2000);
  const wide = await read(join(dir, 'app', 'wide.js'));
  expect(wide.ok ? wide.lines[0]?.length : 0).toBe(401);
  expect(await reasonOf(join(dir, 'app', 'largest.c'))).toBe('read');
});
