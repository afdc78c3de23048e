// What it costs to make unwind tables: `node test/bench/unwind-tables.bench.ts [FILE…]`. Each file in a process of its own, so that the time
// for compiling our code is in it, as it is when an agent meets its first large library.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { elfAndTableOf } from '../judges/unwind-table-judge.ts';

const libraries = '/usr/lib/x86_64-linux-gnu';
const usual = [
  '/usr/bin/bash',
  `${libraries}/libc.so.6`,
  `${libraries}/libcrypto.so.3`,
  process.execPath,
  `${libraries}/libLLVM-14.so.1`,
];
const [mode, ...rest] = process.argv.slice(2);

if (mode === '--one') {
  const before = process.cpuUsage();
  const { table } = elfAndTableOf(rest[0] ?? '');
  const { user, system } = process.cpuUsage(before);
  const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  console.log(
    `${((user + system) / 1000).toFixed(0).padStart(5)} ms CPU ${String(table.rowCount).padStart(8)} rows ${megabytes(table.words.byteLength).padStart(5)} MB table` +
      ` ${megabytes(process.memoryUsage.rss()).padStart(6)} MB resident  ${rest[0]}`,
  );
} else {
  const files = mode === undefined ? usual.filter((each) => existsSync(each)) : [mode, ...rest];
  for (const file of files) {
    const runs = [1, 2, 3].map(() =>
      execFileSync(process.execPath, [import.meta.filename, '--one', file], { encoding: 'utf8' }),
    );
    // The median of three.
    process.stdout.write(runs.sort()[1] ?? '');
  }
}
