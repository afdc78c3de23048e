import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { elfAndTableOf, judgeUnwindTable } from '../judges/unwind-table-judge.ts';

const folder = mkdtempSync(join(tmpdir(), 'everflame-unwind-go-'));
const source = join(import.meta.dirname, '../workloads/unwind-go');

function build(architecture: string, name: string, linker: string): string {
  const output = join(folder, name);
  execFileSync('/usr/local/go/bin/go', ['build', `-ldflags=${linker}`, '-o', output, '.'], {
    cwd: source,
    env: { ...process.env, CGO_ENABLED: '0', GOARCH: architecture, GOFLAGS: '-mod=mod' },
  });
  return output;
}
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/**
 * Rows that differ by intent: .debug_frame says nothing of the frame pointer, which Go saves; some functions of the runtime change to another stack or
 * end one; frames over 32 KB go by the frame pointer.
 */
const known = { frames: / table: frame record$/u, ends: / table: (stop|signal)$/u };
/**
 * The last instructions of rawVforkSyscall, asyncPreempt and debugCallPanicked have popped the return address; in sigtramp on AArch64 there is one instruction
 * between making room and saving the link register.
 */
const tails = /readelf: (?:rsp\+0 .* gap|sp-16 .* gap|sp\+192 fp=u ra=u table: sp\+192 .*)$/u;
/** The CFA of both, and for AArch64 whether the return address was saved. */
const same = /readelf: (\S+) fp=\S+ ra=(\S+) table: (\S+) fp=\S+ ra=(\S+)$/u;

for (const architecture of ['amd64', 'arm64']) {
  test(`every row of a Go program for ${architecture} has the CFA of its .debug_frame`, async () => {
    const { compared, differences } = await judgeUnwindTable(build(architecture, architecture, '-compressdwarf=false'));
    expect(compared).toBeGreaterThan(10_000);
    const others = differences.filter((each) => !known.frames.test(each) && !known.ends.test(each));
    const wrong = others.filter((each) => {
      const [, theirCfa, theirRa, ourCfa, ourRa] = same.exec(each) ?? [];
      return theirCfa === undefined || theirCfa !== ourCfa || theirRa !== ourRa;
    });
    expect(wrong.filter((each) => !tails.test(each))).toEqual([]);
    expect(wrong.length).toBeLessThanOrEqual(6);
    expect(differences.length - others.length).toBeLessThan(80);
  });
}

test('a stripped Go program has the same rows', () => {
  const { table: whole } = elfAndTableOf(build('amd64', 'whole', ''));
  const { table: stripped } = elfAndTableOf(build('amd64', 'stripped', '-s -w'));
  expect(stripped.rowCount).toBe(whole.rowCount);
});
