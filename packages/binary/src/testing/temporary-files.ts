import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Files of one test file, in a directory that goes with it. */
export class TemporaryFiles {
  readonly #directory = mkdtempSync(join(tmpdir(), 'everflame-test-'));

  constructor() {
    afterAll(() => rmSync(this.#directory, { recursive: true, force: true }));
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  write(name: string, content: string | Uint8Array): string {
    const path = this.path(name);
    writeFileSync(path, content);
    return path;
  }

  /** Compiles a program and returns its path; throws with what the compiler said. */
  compile(compiler: string, name: string, source: string, flags: readonly string[]): string {
    const path = this.path(`${name}.out`);
    execFileSync(compiler, [this.write(name, source), '-o', path, ...flags], { stdio: 'pipe' });
    return path;
  }
}
