import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder of compiled workloads, gone with `remove`. */
export class Workloads {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'everflame-workloads-'));

  /**
   * Compiles `test/workloads/<source>.c` with frame pointers and without inlining: what the kernel walks is then
   * what the program does. Answers the path of the program.
   */
  compile(source: string, options: { readonly name?: string; readonly flags?: readonly string[] } = {}): string {
    const program = join(this.folder, options.name ?? source);
    const file = fileURLToPath(new URL(`${source}.c`, import.meta.url));
    execFileSync('gcc', [
      '-O1',
      '-g',
      '-Wall',
      '-fno-omit-frame-pointer',
      '-fno-inline',
      '-pthread',
      ...(options.flags ?? []),
      '-o',
      program,
      file,
    ]);
    return program;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
