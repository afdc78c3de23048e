import { PprofWriter } from './pprof-writer.ts';
import { makeService, standardCode } from './service-model.ts';

/** Rows of one profile: below the 16 MiB that a server takes at once. */
const rowsPerProfile = 20_000;

/**
 * Profiles of one service whose merged tree has about five nodes for each of `stacks` stacks: every stack is in one of them,
 * counts follow Zipf. Uncompressed pprof messages, valid until the next one is asked for.
 */
export function* bigTreeProfiles(stacks: number, timeMs: number, seed = 1): Generator<Uint8Array> {
  const code = { ...standardCode, minStacks: stacks, maxStacks: stacks };
  const model = makeService(code, seed, 0, 'checkout');
  const files = ['/usr/local/bin/checkout', '/usr/lib/x86_64-linux-gnu/libc.so.6', '[kernel.kallsyms]'];
  const writer = new PprofWriter(
    model,
    files.map((file, row) => ({
      file,
      buildId: String(row).repeat(40),
      start: 0x40_0000,
      startHigh: 0,
      bytes: 1 << 24,
    })),
  );
  for (let first = 0; first < stacks; first += rowsPerProfile) {
    const length = Math.min(rowsPerProfile, stacks - first);
    const stack = Uint32Array.from({ length }, (_, row) => first + row);
    const count = stack.map((row) => 1 + Math.floor((stacks * 4) / (row + 1)));
    yield writer.write({ length, stack, count, thread: new Uint8Array(length) }, timeMs);
  }
}
