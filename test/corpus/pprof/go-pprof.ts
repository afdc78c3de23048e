import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GO = process.env['GO'] ?? (existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : 'go');

let binary: string | undefined;

/** The built tool: Go 1.25 and later build it on first use and keep it in the build cache, which takes seconds. */
function pprofBinary(): string {
  binary ??= execFileSync(GO, ['tool', '-n', 'pprof'], { encoding: 'utf8' }).trim();
  return binary;
}

/**
 * Runs `go tool pprof` on profiles given as bytes and answers what it prints. No symbolization: with it, it demangles
 * names anew where a function's system name equals its name.
 */
export function goPprof(options: readonly string[], ...profiles: readonly Uint8Array[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'go-pprof-'));
  try {
    const paths = profiles.map((bytes, i) => {
      const path = join(folder, `${i}.pb`);
      writeFileSync(path, bytes);
      return path;
    });
    return execFileSync(pprofBinary(), ['-symbolize=none', ...options, ...paths], {
      env: { ...process.env, PPROF_TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface GoTopRow {
  readonly name: string;
  readonly flat: bigint;
  readonly cum: bigint;
}

/** `go tool pprof -top`, all of it, values exact: asked for in the smallest unit, which it prints whole. */
export function goTop(profile: Uint8Array, sampleType: string, unit: string): GoTopRow[] {
  const text = goPprof(
    ['-top', '-nodecount=1000000', '-nodefraction=0', '-edgefraction=0', `-sample_index=${sampleType}`, `-unit=${unit}`],
    profile,
  ).toString();
  const lines = text.split('\n');
  const head = lines.findIndex((line) => /^\s+flat\s+flat%/.test(line));
  if (head < 0) throw new Error(`No table in what go tool pprof printed:\n${text}`);
  return lines
    .slice(head + 1)
    .filter((line) => line !== '')
    .map((line) => {
      const match = /^\s*(-?\d+)\S*\s+\S+\s+\S+\s+(-?\d+)\S*\s+\S+ {2}(.*)$/.exec(line);
      if (match === null) throw new Error(`Not a line of go tool pprof -top: ${line}`);
      const [, flat = '', cum = '', name = ''] = match;
      return { name: name.replace(/ \(inline\)$| \(partial-inline\)$/, ''), flat: BigInt(flat), cum: BigInt(cum) };
    });
}
