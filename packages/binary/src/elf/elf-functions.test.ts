import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BufferSource } from '../byte-source.ts';
import { FileSource } from '../file-source.ts';
import type { FunctionTable } from '../function-table.ts';
import { goArchitectures } from '../../../../test/support/go-architectures.ts';
import { mutations } from '../testing/mutate.ts';
import { randomNumbers } from '../testing/random.ts';
import { TemporaryFiles } from '../testing/temporary-files.ts';
import { type ElfBuildIds, readBuildIds } from './elf-build-id.ts';
import { type ElfFile, readElfFile } from './elf-file.ts';
import { readElfFunctions } from './elf-functions.ts';

const files = new TemporaryFiles();

/** Symbols with their extent as `readelf -s` prints them, the oracle; without version. */
interface Listed {
  readonly isFunction: boolean;
  readonly start: bigint;
  readonly size: bigint;
  readonly name: string;
}

function listedByReadelf(path: string): Listed[] {
  const text = execFileSync('readelf', ['-sW', path], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const listed: Listed[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*\d+: ([0-9a-f]+)\s+(\d+|0x[0-9a-f]+) (FUNC|IFUNC|NOTYPE)\s+\S+\s+\S+\s+(?!UND)\S+ (.+)$/.exec(
      line,
    );
    if (match === null) continue;
    const [, start = '', size = '', type = '', name = ''] = match;
    listed.push({
      isFunction: type !== 'NOTYPE',
      start: BigInt(`0x${start}`),
      size: BigInt(size),
      name: name.replace(/@.*/, ''),
    });
  }
  return listed;
}

function functionsOf(path: string): { elf: ElfFile; functions: FunctionTable; buildIds: ElfBuildIds } {
  const fd = openSync(path, 'r');
  try {
    const elf = readElfFile(new FileSource(fd));
    if (!elf.ok) throw new Error(elf.error.detail);
    const functions = readElfFunctions(elf.value);
    if (!functions.ok) throw new Error(functions.error.detail);
    return { elf: elf.value, functions: functions.value, buildIds: readBuildIds(elf.value) };
  } finally {
    closeSync(fd);
  }
}

/** At `count` random addresses of the file's code: the name is one that readelf lists there, and none where it lists none. */
function compareAtRandom(path: string, count: number): { named: number; wrong: string[] } {
  const all = listedByReadelf(path);
  const unsized = new Set(all.filter(({ size }) => size === 0n).map(({ start }) => start));
  const listed = all
    .filter(({ isFunction, size }) => isFunction && size > 0n)
    .sort((a, b) => Number(a.start - b.start));
  const longest = listed.reduce((most, { size }) => (size > most ? size : most), 0n);
  const { elf, functions } = functionsOf(path);
  const code = elf.segments.filter(({ type, flags }) => type === 1 && (flags & 1) === 1);
  const random = randomNumbers(4099);
  const wrong: string[] = [];
  let named = 0;
  for (let i = 0; i < count; i++) {
    const segment = code[Math.floor(random() * code.length)];
    if (segment === undefined) throw new Error(`no code in ${path}`);
    const address = segment.virtualAddress + BigInt(Math.floor(random() * segment.fileSize));
    const names: string[] = [];
    for (let at = countUpTo(listed, address) - 1; at >= 0; at--) {
      const symbol = listed[at];
      if (symbol === undefined || symbol.start + longest <= address) break;
      if (address < symbol.start + symbol.size) names.push(symbol.name);
    }
    const found = functions.find(address);
    if (names.length > 0) named++;
    // Where no symbol with a size is, one without may reach.
    const isRight =
      names.length > 0 ? names.includes(found?.systemName ?? '') : found === undefined || unsized.has(found.start);
    if (!isRight) wrong.push(`${address.toString(16)}: ${found?.systemName}, not ${names.join(' ')}`);
  }
  return { named, wrong };
}

/** How many of the symbols, sorted by start, start at or before `address`. */
function countUpTo(sorted: readonly Listed[], address: bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.start ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}

const libraries = '/usr/lib/x86_64-linux-gnu';
/** The one that is not packaged stands first: it is the newer. */
const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find((path) => existsSync(path)) ?? 'go';
const systemBinaries = [
  '/bin/bash',
  '/usr/bin/python3.11',
  '/usr/bin/perl',
  // Debian's own is stripped and has no names to compare.
  '/usr/local/go/bin/go',
  process.execPath,
  `${libraries}/libc.so.6`,
  `${libraries}/libm.so.6`,
  `${libraries}/libcrypto.so.3`,
  `${libraries}/libstdc++.so.6`,
  `${libraries}/libLLVM-15.so.1`,
].filter((path) => existsSync(path));

test.each(systemBinaries)('a thousand random addresses of %s have the names that readelf lists', (path) => {
  const { named, wrong } = compareAtRandom(path, 1000);
  expect(wrong).toEqual([]);
  expect(named).toBeGreaterThan(0);
});

test.each(systemBinaries)('the build ID of %s is the one that readelf prints', (path) => {
  const printed = execFileSync('readelf', ['-n', path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const { buildIds } = functionsOf(path);
  expect(buildIds.gnu).toBe(/Build ID: ([0-9a-f]+)/.exec(printed)?.[1] ?? '');
});

const goProgram = `package main
//go:noinline
func Planted(n int) int { if n < 2 { return n }; return Planted(n-1) + Planted(n-2) }
func main() { println(Planted(3)) }
`;

test.each(goArchitectures)(
  'a Go program for %s shows the functions that go tool nm lists, and its Go build ID',
  (architecture) => {
    const source = files.write('planted.go', goProgram);
    const path = files.path(`planted-${architecture}`);
    const env = {
      ...process.env,
      GOARCH: architecture,
      GOOS: 'linux',
      CGO_ENABLED: '0',
      GOFLAGS: '-mod=mod',
      GO111MODULE: 'off',
    };
    execFileSync(go, ['build', '-o', path, source], { env });
    const { elf, functions, buildIds } = functionsOf(path);
    expect(elf.is64Bit).toBe(!/^(386|arm|mips)$/.test(architecture));
    expect(elf.littleEndian).toBe(!/^(mips|mips64|ppc64|s390x)$/.test(architecture));
    const listed = execFileSync(go, ['tool', 'nm', '-size', '-type', path], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const lines = [
      ...listed.matchAll(/^\s*([0-9a-f]+)\s+(\d+) [tT] (main\.\S+|runtime\.mallocgc|runtime\.gcStart)$/gm),
    ];
    expect(lines.length).toBeGreaterThan(2);
    for (const [, start = '', size = '', name = ''] of lines) {
      const first = BigInt(`0x${start}`);
      const last = first + BigInt(size) - 1n;
      expect([functions.find(first)?.systemName, functions.find(last)?.systemName]).toEqual([name, name]);
    }
    const buildId = execFileSync(go, ['tool', 'buildid', path], { encoding: 'utf8' }).trim();
    expect(buildIds.go).toBe(buildId);
  },
);

const aliasProgram = `
extern void __attribute__((visibility("default"))) public_name(void);
static void __attribute__((used, noinline)) local_name_a(void) { __asm__ volatile("nop"); }
void public_name(void) __attribute__((alias("local_name_a")));
void weak_name(void) __attribute__((weak, alias("local_name_a")));
void __attribute__((noinline)) ___underscored(void) { __asm__ volatile("nop;nop"); }
void plain_and_much_longer(void) __attribute__((alias("___underscored")));
__asm__(".text\\n.globl sized_gap\\n.type sized_gap,@function\\nsized_gap: nop; nop\\n.size sized_gap,2\\n.skip 64,0x90\\n"
        ".globl no_size\\n.type no_size,@function\\nno_size: nop; nop; nop; nop\\n"
        ".globl outer\\n.type outer,@function\\nouter: nop; nop\\n.globl inner\\n.type inner,@function\\ninner: nop; nop\\n.size inner,2\\nnop; nop; ret\\n.size outer,7\\n"
        ".globl holder\\n.type holder,@function\\nholder: nop; nop\\n.type label_inside,@function\\nlabel_inside: nop; nop; ret\\n.size holder,5\\n"
        ".globl untyped_sized\\nuntyped_sized: nop; nop\\n.size untyped_sized,2\\n"
        ".globl bare_label\\nbare_label: nop; nop\\n.Lkept: nop\\nlocal_label: nop; nop\\n"
        ".section .other,\\"ax\\"\\nlast_label: nop; nop; nop\\n.text\\n");
int main(void) { public_name(); ___underscored(); return 0; }
`;

test('of several names the global one is taken, sizes are honoured, and an inner function interrupts an outer one', () => {
  const path = files.compile('gcc', 'alias.c', aliasProgram, ['-O1', '-Wa,-L']);
  const { functions } = functionsOf(path);
  const at = new Map(
    execFileSync('nm', [path], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.split(' '))
      .map(([address = '', , name = '']) => [name, BigInt(`0x${address || '0'}`)] as const),
  );
  const name = (symbol: string, offset: bigint): string | undefined =>
    functions.find((at.get(symbol) ?? 0n) + offset)?.systemName;
  expect(name('local_name_a', 0n)).toBe('public_name');
  expect(name('___underscored', 1n)).toBe('plain_and_much_longer');
  expect([name('sized_gap', 1n), name('sized_gap', 2n), name('sized_gap', 50n)]).toEqual([
    'sized_gap',
    undefined,
    undefined,
  ]);
  expect([name('no_size', 0n), name('no_size', 3n), name('no_size', 4n)]).toEqual(['no_size', 'no_size', 'outer']);
  expect([0n, 2n, 3n, 4n, 6n].map((offset) => name('outer', offset))).toEqual([
    'outer',
    'inner',
    'inner',
    'outer',
    'outer',
  ]);
  expect([0n, 2n, 4n, 5n].map((offset) => name('holder', offset))).toEqual([
    'holder',
    'holder',
    'holder',
    'untyped_sized',
  ]);
  // Labels of assembly reach to the next one or the end of their section.
  expect([0n, 1n, 2n, 3n].map((offset) => name('bare_label', offset))).toEqual([
    'bare_label',
    'bare_label',
    'bare_label',
    'local_label',
  ]);
  expect([0n, 2n, 3n].map((offset) => name('last_label', offset))).toEqual(['last_label', 'last_label', undefined]);
});

test('a file without section headers is named by what the dynamic linker uses', () => {
  for (const hash of ['gnu', 'sysv']) {
    const linked = files.compile(
      'gcc',
      `shared-${hash}.c`,
      'int exported_one(int a) { return a * 3; } int exported_two(int a) { return a * 5; }',
      ['-shared', '-fPIC', `-Wl,--hash-style=${hash}`],
    );
    const headless = readFileSync(linked);
    headless.fill(0, 40, 48);
    headless.fill(0, 60, 64);
    const elf = readElfFile(new BufferSource(headless));
    if (!elf.ok) throw new Error(elf.error.detail);
    expect(elf.value.sections).toEqual([]);
    const functions = readElfFunctions(elf.value);
    if (!functions.ok) throw new Error(functions.error.detail);
    const names = Array.from({ length: functions.value.length }, (_, i) => functions.value.at(i).systemName);
    expect(names).toEqual(expect.arrayContaining(['exported_one', 'exported_two']));
  }
});

test('no cut or damaged file makes the readers throw, hang or take memory out of proportion', () => {
  const path = files.compile('gcc', 'victim.c', aliasProgram, ['-O1', '-Wl,--hash-style=both']);
  const valid = readFileSync(path);
  let readable = 0;
  const read = (bytes: Uint8Array): void => {
    const elf = readElfFile(new BufferSource(bytes));
    if (!elf.ok) return;
    readBuildIds(elf.value);
    const functions = readElfFunctions(elf.value);
    if (!functions.ok) return;
    readable++;
    expect(functions.value.byteLength).toBeLessThan(64 * bytes.length + 65_536);
    for (let i = 0; i < functions.value.length; i++) functions.value.at(i);
  };
  for (let cut = 0; cut < valid.length; cut += cut < 4096 ? 1 : 97) read(valid.subarray(0, cut));
  for (const bytes of mutations(valid, 3000, 11)) read(bytes);
  // The damage must not be such that everything is refused at the door.
  expect(readable).toBeGreaterThan(1000);
});

test('a symbol table of Node.js costs at most 24 bytes a function, names included', () => {
  const { functions } = functionsOf(process.execPath);
  expect(functions.length).toBeGreaterThan(50_000);
  expect(functions.byteLength / functions.length).toBeLessThan(24);
});
