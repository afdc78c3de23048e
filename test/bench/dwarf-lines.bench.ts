// What lines and inlined functions cost: `npm run bench:dwarf -- [FILE…]`, files with DWARF. Each file in a process of its own, the judges on the same file and addresses.
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { randomNumbers } from '../../packages/binary/src/testing/random.ts';
import { DwarfOnDisk, drawAddresses } from '../judges/dwarf-judge.ts';

const addressCount = 2000;
const [mode, ...rest] = process.argv.slice(2);

/** The largest debug files of Debian's packages. */
function usualFiles(): string[] {
  const size = (path: string): number => statSync(path).size;
  return globSync('/usr/lib/debug/.build-id/*/*.debug')
    .sort((a, b) => size(b) - size(a))
    .slice(0, 4);
}

/** Seconds of CPU of a judge for the addresses. */
function judgeSeconds(command: string, path: string, addresses: readonly bigint[]): string {
  const startedAt = performance.now();
  const { status, error } = spawnSync(command, ['-a', '-i', '-f', '-e', path], {
    input: addresses.map((each) => `0x${each.toString(16)}\n`).join(''),
    maxBuffer: 256 * 1024 * 1024,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
  return error === undefined && status === 0 ? `${command} ${seconds} s` : `${command} failed`;
}

if (mode === '--one') {
  const path = rest[0] ?? '';
  const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  const residentBefore = process.memoryUsage.rss();
  const times = [performance.now()];
  const disk = new DwarfOnDisk(path);
  times.push(performance.now());
  const addresses = drawAddresses(disk.elf, addressCount, randomNumbers(1));
  disk.lines.find(addresses[0] ?? 0n);
  times.push(performance.now());
  let frames = 0;
  for (const address of addresses) frames += disk.lines.find(address)?.length ?? 0;
  times.push(performance.now());
  for (const address of addresses) disk.lines.find(address);
  times.push(performance.now());
  const took = (i: number): number => (times[i] ?? 0) - (times[i - 1] ?? 0);
  console.log(
    [
      path,
      `  open ${took(1).toFixed(0)} ms, first look-up ${took(2).toFixed(1)} ms, ${addressCount} addresses (${frames} functions) ${took(3).toFixed(0)} ms,` +
        ` again ${((1000 * took(4)) / addressCount).toFixed(1)} µs each`,
      `  ${megabytes(disk.lines.byteLength)} MB counted, ${megabytes(process.memoryUsage.rss() - residentBefore)} MB more resident`,
      `  the same addresses: ${['addr2line', 'llvm-addr2line'].map((each) => judgeSeconds(each, path, addresses)).join(', ')}; ours ${((took(1) + took(2) + took(3)) / 1000).toFixed(2)} s`,
    ].join('\n'),
  );
  disk.close();
} else {
  const files = mode === undefined ? usualFiles() : [mode, ...rest];
  if (files.length === 0) console.log('No debug files here: apt-get install libc6-dbg, or name files.');
  for (const file of files) {
    process.stdout.write(execFileSync(process.execPath, [import.meta.filename, '--one', file], { encoding: 'utf8' }));
  }
}
