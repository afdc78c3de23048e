// Nothing is done twice: a step writes the hash of its inputs beside its result and is skipped while they are equal.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Hash of files and, for folders, of all files below them (not `node_modules`, `dist` or tests), by path and content. */
export function hashOf(paths, salt = '') {
  const hash = createHash('sha256').update(salt);
  const visit = (path) => {
    if (!existsSync(path)) return void hash.update(`${path}\0absent\0`);
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) {
        if (name !== 'node_modules' && name !== 'dist' && !name.includes('.test.')) visit(join(path, name));
      }
      return;
    }
    hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}

export function isFresh(stampFile, value) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === value;
}

export function writeStamp(stampFile, value) {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, value);
}
