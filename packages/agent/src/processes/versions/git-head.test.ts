import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readGitHead } from './git-head.ts';
import { RootFiles } from './root-files.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'everflame-git-'));
  mkdirSync(join(root, 'srv/app/deep/er'), { recursive: true });
  git('srv/app', 'init', '-q', '-b', 'main');
  commit('one');
});
afterEach(() => rmSync(root, { recursive: true }));

function git(folder: string, ...args: string[]): string {
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  return execFileSync('git', [...who, ...args], { cwd: join(root, folder), encoding: 'utf8', stdio: 'pipe' }).trim();
}

function commit(content: string): void {
  writeFileSync(join(root, 'srv/app/file'), content);
  git('srv/app', 'add', '-A');
  git('srv/app', 'commit', '-qm', content);
}

/** `path` as the process sees it: below its root. */
async function headOf(path: string): Promise<string | undefined> {
  const files = await RootFiles.of(root);
  const head = files === undefined ? undefined : await readGitHead(files, path);
  await files?.close();
  return head;
}

test('a branch, from a folder below; and after the next commit the next', async () => {
  const first = git('srv/app', 'rev-parse', 'HEAD');
  expect(await headOf('/srv/app')).toBe(first);
  expect(await headOf('/srv/app/deep/er')).toBe(first);
  commit('two');
  expect(await headOf('/srv/app/deep')).toBe(git('srv/app', 'rev-parse', 'HEAD'));
  expect(git('srv/app', 'rev-parse', 'HEAD')).not.toBe(first);
});

test('packed refs, also where a loose one hides an older packed one', async () => {
  git('srv/app', 'tag', '-am', 'a tag is peeled on the next line', 'v1');
  git('srv/app', 'pack-refs', '--all');
  expect(await headOf('/srv/app')).toBe(git('srv/app', 'rev-parse', 'HEAD'));
  commit('two');
  expect(await headOf('/srv/app')).toBe(git('srv/app', 'rev-parse', 'HEAD'));
});

test('a detached head', async () => {
  commit('two');
  git('srv/app', 'checkout', '-q', 'HEAD~1');
  expect(await headOf('/srv/app')).toBe(git('srv/app', 'rev-parse', 'HEAD'));
});

test('a worktree has its own head and the refs of its repository', async () => {
  git('srv/app', 'worktree', 'add', '-q', '-b', 'side', '../side');
  // Git writes the path on this machine; the process's root is another.
  writeFileSync(join(root, 'srv/side/.git'), 'gitdir: /srv/app/.git/worktrees/side\n');
  commit('two');
  const side = execFileSync('git', ['rev-parse', 'side'], { cwd: join(root, 'srv/app'), encoding: 'utf8' }).trim();
  expect(await headOf('/srv/side')).toBe(side);
  expect(side).not.toBe(git('srv/app', 'rev-parse', 'HEAD'));
});

test('no repository, a new one and a damaged one have no head', async () => {
  expect(await headOf('/srv')).toBeUndefined();
  mkdirSync(join(root, 'srv/new'));
  git('srv/new', 'init', '-q');
  expect(await headOf('/srv/new')).toBeUndefined();
  writeFileSync(join(root, 'srv/app/.git/HEAD'), 'ref: refs/../../../etc/passwd\n');
  expect(await headOf('/srv/app')).toBeUndefined();
});
