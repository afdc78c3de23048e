import { posix } from 'node:path';
import type { RootFiles } from './root-files.ts';

/** A ref is 41 bytes, a packed list of them 60 bytes a tag: the Linux kernel's has 100 KB, Chromium's 10 MB. */
const mostRefBytes = 4096;
const mostPackedBytes = 2 * 1024 * 1024;
const levels = 16;

/**
 * The commit that is checked out where `folder` lies, found by reading files alone (gitrepository-layout(5)): `.git`, or where it is a file (a worktree, a
 * submodule) the folder that it names; HEAD, which is a commit or a ref; the ref loose or packed, in the worktree's folder or the common one.
 */
export async function readGitHead(files: RootFiles, folder: string): Promise<string | undefined> {
  for (let at = folder, level = 0; level < levels; level++, at = posix.dirname(at)) {
    const gitFolder = await gitFolderOf(files, at);
    if (gitFolder !== undefined) return headOf(files, gitFolder);
    if (at === '/') return undefined;
  }
  return undefined;
}

async function gitFolderOf(files: RootFiles, at: string): Promise<string | undefined> {
  const path = posix.join(at, '.git');
  if ((await files.readText(posix.join(path, 'HEAD'), mostRefBytes)) !== undefined) return path;
  const named = /^gitdir: (.+)\n?$/u.exec((await files.readText(path, mostRefBytes)) ?? '')?.[1];
  return named === undefined ? undefined : posix.resolve(at, named);
}

async function headOf(files: RootFiles, gitFolder: string): Promise<string | undefined> {
  const head = (await files.readText(posix.join(gitFolder, 'HEAD'), mostRefBytes)) ?? '';
  const ref = /^ref: (refs\/[^\s\0]+)\n?$/u.exec(head)?.[1];
  if (ref === undefined) return commitOf(head);
  if (ref.split('/').includes('..')) return undefined;
  const common = (await files.readText(posix.join(gitFolder, 'commondir'), mostRefBytes))?.trim();
  const folders = common === undefined ? [gitFolder] : [gitFolder, posix.resolve(gitFolder, common)];
  for (const each of folders) {
    const commit = commitOf((await files.readText(posix.join(each, ref), mostRefBytes)) ?? '');
    if (commit !== undefined) return commit;
  }
  for (const each of folders) {
    const packed = await files.readText(posix.join(each, 'packed-refs'), mostPackedBytes);
    const line = packed?.split('\n').find((one) => one.endsWith(` ${ref}`));
    const commit = commitOf(line?.split(' ')[0] ?? '');
    if (commit !== undefined) return commit;
  }
  return undefined;
}

/** SHA-1 or SHA-256. */
function commitOf(text: string): string | undefined {
  const commit = text.trim();
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u.test(commit) ? commit : undefined;
}
