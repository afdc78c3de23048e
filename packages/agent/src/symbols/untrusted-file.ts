import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { asResult } from '@everflame/binary';

/** An open regular file, its owner one of `owners`; 'absent' where none of the paths exists, 'refused' where none may be read. */
export type Opened = { readonly fd: number } | 'absent' | 'refused';

/** These files are written by whom we profile: no links followed, nothing but a regular file of the right owner, no waiting on a FIFO. */
export function openUntrusted(paths: readonly string[], owners: readonly number[]): Opened {
  let outcome: Opened = 'absent';
  for (const [i, path] of paths.entries()) {
    // Links under map_files are the kernel's own.
    const isOwnLink = i === 0 && path.includes('/map_files/');
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | (isOwnLink ? 0 : constants.O_NOFOLLOW);
    const opened = asResult(() => openSync(path, flags));
    if (!opened.ok) {
      if (!/^(ENOENT|ESRCH|ENOTDIR)/.test(opened.error.detail)) outcome = 'refused';
      continue;
    }
    const stats = asResult(() => fstatSync(opened.value));
    if (stats.ok && stats.value.isFile() && owners.includes(stats.value.uid)) {
      return { fd: opened.value };
    }
    closeSync(opened.value);
    outcome = 'refused';
  }
  return outcome;
}
