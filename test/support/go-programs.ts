import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { go } from '../load/go-pprof.ts';
import { repositoryRoot } from './everflame-process.ts';

/** The newest 1.`minor` that the go command has fetched (`GOTOOLCHAIN=go1.18.10 go version`); undefined where there is none. */
export function goToolchain(minor: number): string | undefined {
  const folder = join(process.env['GOMODCACHE'] ?? join(homedir(), 'go/pkg/mod'), 'golang.org');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const name = names
    .filter((each) => new RegExp(`@v0\\.0\\.1-go1\\.${minor}(?:\\.\\d+)?\\.linux-`, 'u').test(each))
    .sort()
    .at(-1);
  return name === undefined ? undefined : join(folder, name, 'bin/go');
}

/** Builds the program in test/workloads/`name` as `output`. Throws where the compiler fails. */
export function buildGo(
  name: string,
  output: string,
  { compiler = go, flags = [], hasC = false }: { compiler?: string; flags?: readonly string[]; hasC?: boolean } = {},
): void {
  execFileSync(compiler, ['build', ...flags, '-o', output, '.'], {
    cwd: join(repositoryRoot, 'test/workloads', name),
    env: { ...process.env, CGO_ENABLED: hasC ? '1' : '0', GOFLAGS: '-buildvcs=false', GOTOOLCHAIN: 'local' },
    stdio: 'pipe',
  });
}
