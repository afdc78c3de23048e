import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

export const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find((path) => existsSync(path)) ?? 'go';

/** Runs `go tool pprof` on files; what it prints. Nothing is symbolized or stored by the tool itself. */
export async function goPprof(args: readonly string[], workDir: string): Promise<string> {
  const { stdout } = await promisify(execFile)(go, ['tool', 'pprof', '-symbolize=none', ...args], {
    env: { ...process.env, PPROF_TMPDIR: workDir, PPROF_BINARY_PATH: workDir },
    maxBuffer: 1e9,
  });
  return stdout;
}

/** Merges files into one with `-proto`. Answers the CPU that it took, user and system, in milliseconds. */
export async function goMerge(files: readonly string[], output: string, workDir: string): Promise<number> {
  // `times` of the shell says what its children have used: user and system, e.g. `0m7.810s 0m0.640s` in the second line.
  const script = '"$@" >/dev/null 2>"$PPROF_TMPDIR/stderr" || exit 1; times';
  const args = ['-c', script, 'bash', go, 'tool', 'pprof', '-symbolize=none', '-proto', `-output=${output}`, ...files];
  const { stdout } = await promisify(execFile)('bash', args, {
    env: { ...process.env, PPROF_TMPDIR: workDir, PPROF_BINARY_PATH: workDir, LC_ALL: 'C' },
  });
  const times = [...(stdout.trim().split('\n').at(-1) ?? '').matchAll(/(?<minutes>\d+)m(?<seconds>[\d.]+)s/g)];
  if (times.length !== 2) throw new Error(`times printed ${JSON.stringify(stdout)}`);
  return times.reduce(
    (sum, { groups }) => sum + Number(groups?.['minutes']) * 60_000 + Number(groups?.['seconds']) * 1000,
    0,
  );
}
