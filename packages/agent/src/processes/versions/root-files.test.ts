import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RootFiles } from './root-files.ts';

let outside = '';
let root = '';
let files: RootFiles;

beforeEach(async () => {
  outside = mkdtempSync(join(tmpdir(), 'everflame-root-'));
  root = join(outside, 'root');
  mkdirSync(join(root, 'app/sub'), { recursive: true });
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(outside, 'secret'), 'of the host');
  writeFileSync(join(root, 'etc/secret'), 'its own');
  writeFileSync(join(root, 'app/file'), 'text');
  files = (await RootFiles.of(root)) ?? expect.fail('no root');
});
afterEach(async () => {
  await files.close();
  rmSync(outside, { recursive: true });
});

const link = (target: string, at: string): void => symlinkSync(target, join(root, at));

test('links are followed as the process would follow them, and never lead out of its root', async () => {
  link('/etc/secret', 'app/absolute');
  link('../etc/secret', 'app/relative');
  link('../../../../../../etc/secret', 'app/upwards');
  link('../../secret', 'app/out');
  link(join(outside, 'secret'), 'app/host');
  link('/app/sub/..', 'app/folder');
  link('loop', 'app/loop');
  const read = async (path: string) => files.readText(path, 100);
  expect(await read('/app/file')).toBe('text');
  expect(await read('/app/absolute')).toBe('its own');
  expect(await read('/app/relative')).toBe('its own');
  expect(await read('/app/upwards')).toBe('its own');
  expect(await read('/app/folder/file')).toBe('text');
  expect(await read('/../../secret')).toBeUndefined();
  expect(await read('/app/out')).toBeUndefined();
  expect(await read('/app/host')).toBeUndefined();
  expect(await read('/app/loop')).toBeUndefined();
});

test('only regular files of a bounded size are read, and nothing waits', async () => {
  execFileSync('mkfifo', [join(root, 'app/fifo')]);
  writeFileSync(join(root, 'app/huge'), '');
  truncateSync(join(root, 'app/huge'), 1 << 30);
  link('/proc/self/environ', 'app/proc');
  const read = async (path: string) => files.readText(path, 1000);
  expect(await read('/app/fifo')).toBeUndefined();
  expect(await read('/app/huge')).toBeUndefined();
  expect(await read('/app')).toBeUndefined();
  expect(await read('/app/proc')).toBeUndefined();
  expect(await read('/app/file\0')).toBeUndefined();
});

test('a folder is listed to its limit', async () => {
  for (let i = 0; i < 600; i++) writeFileSync(join(root, `app/sub/${i}`), '');
  expect(await files.list('/app/sub', 10_000)).toHaveLength(600);
  expect(await files.list('/app/sub', 100)).toHaveLength(100);
  expect(await files.list('/app/file', 100)).toBeUndefined();
});

test('what is opened for one process is bounded', async () => {
  for (let i = 0; i < 150; i++) expect(await files.readText('/app/file', 100)).toBe('text');
  expect(files.isExhausted).toBe(false);
  for (let i = 0; i < 150; i++) await files.readText('/app/file', 100);
  expect(files.isExhausted).toBe(true);
  expect(await files.readText('/app/file', 100)).toBeUndefined();
});

test('a process that is gone has no files', async () => {
  expect(await RootFiles.of(join(outside, 'nothing'))).toBeUndefined();
});
