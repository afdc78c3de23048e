import { readFileSync } from 'node:fs';

/** The version of this clone, as in the root package.json. */
export function everflameVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
