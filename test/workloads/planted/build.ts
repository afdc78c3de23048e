import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { Workloads } from '../compile.ts';

const folder = import.meta.dirname;

export interface CBuild {
  readonly compiler?: 'gcc' | 'g++' | 'clang' | 'clang++' | 'musl-gcc';
  /** Built to be walked along frame pointers; without them when left out. */
  readonly frames?: boolean;
  readonly flags?: readonly string[];
}

const framePointers = ['-fno-omit-frame-pointer', '-mno-omit-leaf-frame-pointer', '-DKEEP_FRAMES'];

/** Programs with planted stacks (see planted.h), built as a test asks for and gone with `remove`. */
export class PlantedPrograms extends Workloads {
  /** Compiles a source of this folder; answers the path of the program, a name of its own for each call. */
  c(source: string, name: string, { compiler = 'gcc', frames = false, flags = [] }: CBuild = {}): string {
    const program = join(this.folder, name);
    const common = ['-O2', '-g', '-Wall', '-Wno-clobbered', '-Wno-unknown-warning-option'];
    execFileSync(compiler, [
      ...common,
      '-fno-optimize-sibling-calls',
      '-pthread',
      ...(frames ? framePointers : ['-fomit-frame-pointer']),
      ...flags,
      '-o',
      program,
      join(folder, source),
      ...(compiler === 'musl-gcc' ? [] : ['-ldl']),
    ]);
    return program;
  }

  /** `count` libraries of library.c, numbered from 0. */
  libraries(prefix: string, count: number, frames: boolean): string[] {
    return Array.from({ length: count }, (_, number) =>
      this.c('library.c', `${prefix}-${number}.so`, { frames, flags: ['-shared', '-fPIC', `-DNUMBER=${number}`] }),
    );
  }

  rust(name: string, frames: boolean, flags: readonly string[] = []): string {
    const program = join(this.folder, name);
    const framing = `force-frame-pointers=${frames ? 'yes' : 'no'}`;
    const options = ['-O', '-g', '-C', framing, '--crate-name', 'chain', ...flags];
    execFileSync('rustc', [...options, '-o', program, join(folder, 'chain.rs')]);
    return program;
  }

  /** Go keeps frame pointers always. Installed by apt or beside it, as `npm test` finds it. */
  go(name: string, flags: readonly string[] = []): string {
    const program = join(this.folder, name);
    const beside = '/usr/local/go/bin';
    const PATH = [process.env['PATH'], existsSync(beside) ? beside : undefined].filter(Boolean).join(delimiter);
    const cache = join(this.folder, 'go-cache');
    mkdirSync(cache, { recursive: true });
    execFileSync('go', ['build', ...flags, '-o', program, '.'], {
      cwd: join(folder, 'go'),
      env: { HOME: cache, ...process.env, PATH, CGO_ENABLED: '0' },
    });
    return program;
  }
}
