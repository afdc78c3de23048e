import { execFileSync } from 'node:child_process';

/** Compresses by the `xz` command, as `eu-strip` and rpm do. */
export function xz(bytes: Uint8Array): Uint8Array {
  return execFileSync('xz', ['--stdout', '--format=xz'], { input: bytes, maxBuffer: 1 << 28 });
}
