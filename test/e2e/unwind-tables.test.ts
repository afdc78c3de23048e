import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeUnwindRow, findUnwindRow } from '@everflame/binary';
import { expect, test } from 'vitest';
import { isLong } from '../support/long.ts';
import { elfAndTableOf, judgeUnwindTable } from '../judges/unwind-table-judge.ts';

const libraries = '/usr/lib/x86_64-linux-gnu';

/**
 * Rows that a table does not express. longjmp and setcontext, while they load the registers of the place where they jump to,
 * describe that place: the stack pointer is in a register too, and no caller is found from them.
 */
const jumpsElsewhere = /readelf: (rd[ix]|e[ac]x)\+0 fp=(r9|u|c\+120|c\+12) ra=([re]dx|c\+168) table: gap$/u;
/**
 * Rows that the table has better: nobody calls what the kernel starts (_start of old C libraries and of libc.so itself) nor what makecontext returns
 * to, so what would be their return address is none.
 */
const begins = /readelf: [re]sp\+\d+ fp=u ra=c-[48] table: stop$/u;

const files = [
  { path: '/usr/bin/bash', rows: 18_000, jumps: 0, begins: 0 },
  { path: '/usr/bin/python3', rows: 50_000, jumps: 0, begins: 0 },
  { path: `${libraries}/libc.so.6`, rows: 23_000, jumps: 4, begins: 3 },
  { path: `${libraries}/libcrypto.so.3`, rows: 70_000, jumps: 0, begins: 0 },
  { path: `${libraries}/libgcc_s.so.1`, rows: 1000, jumps: 0, begins: 0 },
  { path: `${libraries}/ld-linux-x86-64.so.2`, rows: 2000, jumps: 1, begins: 0 },
  { path: '/usr/lib32/libc.so.6', rows: 20_000, jumps: 6, begins: 5 },
  // Seven seconds of CPU.
  ...(isLong ? [{ path: process.execPath, rows: 250_000, jumps: 0, begins: 1 }] : []),
];

for (const { path, rows, ...excepted } of files) {
  test(`every row of ${path} is the one that readelf prints`, async () => {
    const { compared, differences } = await judgeUnwindTable(realpathSync(path));
    expect(compared).toBeGreaterThan(rows);
    const count = (pattern: RegExp): number => differences.filter((each) => pattern.test(each)).length;
    expect(differences.filter((each) => !jumpsElsewhere.test(each) && !begins.test(each))).toEqual([]);
    expect(count(jumpsElsewhere)).toBeLessThanOrEqual(excepted.jumps);
    expect(count(begins)).toBeLessThanOrEqual(excepted.begins);
  });
}

for (const name of ['aarch64-frames.so', 'aarch64-frames-fp.so']) {
  test(`every row of ${name} is the one that readelf prints`, async () => {
    const { compared, differences, table } = await judgeUnwindTable(
      join(import.meta.dirname, '../corpus/unwind', name),
    );
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(30);
    const kinds = Array.from({ length: table.rowCount }, (_, i) => describeUnwindRow(table, table.pageCount + i));
    // readelf prints `u` for "in the link register" as well as for "there is none", so the only end is counted.
    expect(kinds.filter((each) => each === 'stop')).toHaveLength(1);
    expect(kinds.filter((each) => each === 'signal')).toHaveLength(1);
    expect(kinds.some((each) => /^sp\+\d{5,} fp=.* ra=c-/u.test(each))).toBe(true);
  });
}

/** Hand-written, as V8's PushAllRegistersAndIterateStack is: nothing describes `kept`, `twice` and `bare`. */
const assembly = `
  .text
  .globl described, kept, twice, bare, last
described: .cfi_startproc
  ret
  .cfi_endproc
  .balign 16
kept: push %rbp
  mov %rsp, %rbp
  push %rbx
  push %r12
  call *%rdx
  add $16, %rsp
  pop %rbp
  ret
  .balign 64
between: .cfi_startproc
  ret
  .cfi_endproc
  .balign 64
twice: push %rbp
  mov %rsp, %rbp
  leave
  ret
  push %rbp
  mov %rsp, %rbp
  leave
  ret
  .balign 64
again: .cfi_startproc
  ret
  .cfi_endproc
  .balign 64
bare: sub $8, %rsp
  call *%rdx
  add $8, %rsp
  ret
  .balign 64
last: .cfi_startproc
  ret
  .cfi_endproc
`;

test('a function in assembly that nobody describes is known by its prologue, where it is alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'everflame-assembly-'));
  try {
    const [source, library] = [join(folder, 'code.s'), join(folder, 'code.so')];
    writeFileSync(source, assembly);
    execFileSync('gcc', ['-shared', '-nostdlib', '-o', library, source]);
    const symbols = execFileSync('nm', [library], { encoding: 'utf8' });
    const { table } = elfAndTableOf(library);
    const rowAt = (name: string, within: number): string => {
      const start = Number.parseInt(new RegExp(`^([0-9a-f]+) [tT] ${name}$`, 'mu').exec(symbols)?.[1] ?? '', 16);
      return describeUnwindRow(table, findUnwindRow(table, start + within - table.base));
    };
    const [first, second, body] = ['rsp+8 fp=u ra=c-8', 'rsp+16 fp=c-16 ra=c-8', 'rbp+16 fp=c-16 ra=c-8'];
    // push, mov, push, call, pop, ret.
    const rows = [0, 1, 4, 7, 13, 14].map((within) => rowAt('kept', within));
    expect(rows).toEqual([first, second, body, body, body, first]);
    expect(rowAt('kept', 15)).toBe('gap');
    for (const within of [0, 1, 4, 6]) expect(rowAt('twice', within)).toBe('gap');
    expect(rowAt('bare', 4)).toBe('gap');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
