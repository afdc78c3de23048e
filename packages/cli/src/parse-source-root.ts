import { resolve } from 'node:path';
import type { SourceRoot } from '@everflame/server';
import { InvalidArgumentError } from 'commander';

/**
 * One more folder of source: `DIR`, whose files profiles call what they are called on this machine, or `PREFIX=DIR`. Several are apart by
 * colons, as in PATH.
 */
export function addSourceRoot(text: string, before: readonly SourceRoot[] | undefined): readonly SourceRoot[] {
  return [...(before ?? []), ...text.split(':').map(sourceRoot)];
}

function sourceRoot(text: string): SourceRoot {
  const at = text.indexOf('=');
  const dir = resolve(text.slice(at + 1));
  const prefix = (at === -1 ? dir : text.slice(0, at)).replace(/\/+$/, '');
  if (prefix === '' || dir === '/' || text.slice(at + 1) === '') {
    throw new InvalidArgumentError('expected a folder other than /, or PREFIX=FOLDER, for example /build/app=/srv/app');
  }
  return { prefix, dir };
}
