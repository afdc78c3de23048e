import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './everflame-process.ts';

/** Compiles test/workloads/five-functions.c, with frame pointers, to `directory`; answers the path of the program. */
export function buildFiveFunctions(directory: string, name = 'five-functions'): string {
  const program = join(directory, name);
  const source = join(repositoryRoot, 'test/workloads/five-functions.c');
  const flags = ['-O1', '-fno-inline', '-fno-omit-frame-pointer', '-fno-optimize-sibling-calls', '-g'];
  const result = spawnSync('gcc', [...flags, '-o', program, source], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`gcc failed: ${result.stderr}`);
  return program;
}

/** What the program wrote of itself: nanoseconds of CPU by function. */
export function readTruth(file: string): ReadonlyMap<string, number> {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
}
