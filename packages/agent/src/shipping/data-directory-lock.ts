import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

/** Another process works in this data directory, or it cannot be told whether one does. */
export class DataDirectoryLockedError extends Error {
  readonly code: 'data_dir_in_use' | 'lock_unavailable';

  constructor(code: 'data_dir_in_use' | 'lock_unavailable', message: string) {
    super(message);
    this.name = 'DataDirectoryLockedError';
    this.code = code;
  }
}

export interface DataDirectoryLock {
  release(): void;
}

/**
 * Makes sure that one process uses `directory` (made if missing). The kernel holds the lock (flock(2)) and frees it
 * however the process ends, so there is no stale lock to judge. Node.js has no flock: util-linux's `flock` takes it on our
 * open file, where it stays when that command has ended. What is written in the file only names the holder.
 *
 * @throws DataDirectoryLockedError
 */
export function lockDataDirectory(directory: string): DataDirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = path.join(directory, 'agent.lock');
  const descriptor = openSync(file, 'a+', 0o600);
  try {
    takeLock(descriptor, directory, file);
    ftruncateSync(descriptor);
    writeSync(descriptor, `process ${process.pid} since ${new Date().toISOString()}\n`);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  let isHeld = true;
  return {
    release() {
      if (isHeld) closeSync(descriptor);
      isHeld = false;
    },
  };
}

function takeLock(descriptor: number, directory: string, file: string): void {
  const heldElsewhere = 75;
  const result = spawnSync('flock', ['-n', '-x', '-E', String(heldElsewhere), '3'], {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (result.status === 0) return;
  if (result.status === heldElsewhere) {
    const holder = readFileSync(file, 'utf8').trim() || 'another process';
    throw new DataDirectoryLockedError(
      'data_dir_in_use',
      `the data directory ${directory} is in use by ${holder}: stop that agent, or give this one another --data-dir`,
    );
  }
  const reason = result.error?.message ?? result.stderr.trim();
  throw new DataDirectoryLockedError(
    'lock_unavailable',
    `the data directory ${directory} cannot be locked: ${reason}. The command flock (package util-linux) is needed`,
  );
}
