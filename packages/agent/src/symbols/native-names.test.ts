import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LiveTest, liveProcess, namesOf } from './testing/live-process.ts';

const live = new LiveTest();

/** Prints where its functions are, which is the truth, and waits. */
const program = `
#include <stdio.h>
#include <unistd.h>
int __attribute__((noinline)) planted_alpha(int a) { volatile int b = a * 3; return b + 1; }
static int __attribute__((noinline, used)) planted_beta(int a) { volatile int b = a * 5; return b + 2; }
int main(void) {
  planted_alpha(1); planted_beta(2);
  printf("%p\\n%p\\nready\\n", (void *)planted_alpha, (void *)planted_beta);
  fflush(stdout);
  for (;;) pause();
}
`;

function compile(name: string, flags: readonly string[]): string {
  const path = join(live.directory, name);
  writeFileSync(join(live.directory, 'planted.c'), program);
  execFileSync('gcc', ['-O1', join(live.directory, 'planted.c'), '-o', path, ...flags], { stdio: 'pipe' });
  return path;
}

const kinds: readonly [string, readonly string[]][] = [
  ['pie', ['-pie', '-fPIE']],
  ['fixed', ['-no-pie', '-fno-pie']],
  ['static', ['-static']],
  ['static-pie', ['-static-pie', '-fPIE']],
  ['without-build-id', ['-Wl,--build-id=none']],
  ['text-far-away', ['-no-pie', '-fno-pie', '-Wl,-Ttext-segment=0x7000000']],
  ['lld', ['-fuse-ld=lld']],
].filter(([kind]) => kind !== 'lld' || existsSync('/usr/bin/ld.lld')) as [string, string[]][];

test.each(kinds)('the functions of a %s program have the names that it planted', async (kind, flags) => {
  const path = compile(kind, flags);
  const { pid, printed } = await live.start(path);
  const process = liveProcess(pid);
  const symbolizer = live.symbolizer();
  const [alpha, beta] = [BigInt(printed[0] ?? ''), BigInt(printed[1] ?? '')];
  const addresses = BigUint64Array.of(alpha, alpha + 4n, beta + 2n, alpha + 1n);
  const [first, second, third, caller] = await symbolizer.resolveUser(process, addresses, Uint8Array.of(1, 1, 1, 0));
  expect([first, second, third].map((location) => location?.lines[0]?.name)).toEqual([
    'planted_alpha',
    'planted_alpha',
    'planted_beta',
  ]);
  expect(first).toMatchObject({ kind: 'native', mapping: { file: path } });
  // The address is the one that nm prints, in every process; a caller's is that of the byte before.
  const listed = execFileSync('nm', [path], { encoding: 'utf8' });
  expect(first?.address).toBe(BigInt(`0x${/([0-9a-f]+) T planted_alpha/.exec(listed)?.[1] ?? ''}`));
  expect(caller?.address).toBe(first?.address);
  const { memoryStart = 0n, memoryLimit = 0n } = first?.mapping ?? {};
  expect((first?.address ?? 0n) >= memoryStart && (first?.address ?? 0n) < memoryLimit).toBe(true);
  expect(live.lost()).toEqual({});
});

test('C++ and Rust names are readable', async () => {
  writeFileSync(
    join(live.directory, 'p.cc'),
    '#include <cstdio>\n#include <unistd.h>\nnamespace planted { template <class T> struct Box { T v; __attribute__((noinline)) T twice(T a) { volatile T b = a; return b + b; } }; }\nint main() { planted::Box<int> b; auto f = &planted::Box<int>::twice; b.twice(2); printf("%p\\nready\\n", *(void **)&f); fflush(stdout); for (;;) pause(); }\n',
  );
  const cxx = join(live.directory, 'p-cxx');
  execFileSync('g++', ['-O1', join(live.directory, 'p.cc'), '-o', cxx]);
  const symbolizer = live.symbolizer();
  const started = await live.start(cxx);
  const address = BigUint64Array.of(BigInt(started.printed[0] ?? '') + 4n);
  const [location] = await symbolizer.resolveUser(liveProcess(started.pid), address, Uint8Array.of(1));
  expect(location?.lines).toMatchObject([
    { name: 'planted::Box<int>::twice', systemName: '_ZN7planted3BoxIiE5twiceEi' },
  ]);
});

const hasRust = ((): boolean => {
  try {
    execFileSync('rustc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!hasRust).each(['default', 'v0'])('Rust names are readable (%s mangling; needs rustc)', async (scheme) => {
  writeFileSync(
    join(live.directory, 'p.rs'),
    'mod planted { #[inline(never)] pub fn hot(a: u64) -> u64 { unsafe { std::ptr::read_volatile(&a) * 3 } } }\nfn main() { planted::hot(2); println!("{:p}\\nready", planted::hot as *const ()); loop { std::thread::park(); } }\n',
  );
  const path = join(live.directory, `p-rust-${scheme}`);
  const flags = scheme === 'v0' ? ['-Csymbol-mangling-version=v0'] : [];
  execFileSync('rustc', ['-O', '-Cdebuginfo=0', ...flags, join(live.directory, 'p.rs'), '-o', path], { stdio: 'pipe' });
  const { pid, printed } = await live.start(path);
  expect(await namesOf(live.symbolizer(), liveProcess(pid), [BigInt(printed[0] ?? '') + 2n])).toEqual([
    'p::planted::hot',
  ]);
});

test('what a stripped program does not name is [binary+address], and its exported and library functions are named', async () => {
  const path = compile('stripped', ['-rdynamic', '-s']);
  const { pid, printed } = await live.start(path);
  const names = await namesOf(live.symbolizer(), liveProcess(pid), [
    BigInt(printed[0] ?? ''),
    BigInt(printed[1] ?? ''),
  ]);
  expect(names).toEqual(['planted_alpha', expect.stringMatching(/^\[stripped\+0x1[0-9a-f]{3}\]$/)]);
});

test('a stripped program is named by its installed debug file, if that has the same build ID', async () => {
  const path = compile('separate', []);
  const debugDirectory = join(live.directory, 'debug');
  const buildId = /Build ID: ([0-9a-f]+)/.exec(execFileSync('readelf', ['-n', path], { encoding: 'utf8' }))?.[1] ?? '';
  const debugFile = join(debugDirectory, '.build-id', buildId.slice(0, 2), `${buildId.slice(2)}.debug`);
  mkdirSync(join(debugFile, '..'), { recursive: true });
  execFileSync('objcopy', ['--only-keep-debug', path, debugFile]);
  execFileSync('strip', [path]);
  const { pid, printed } = await live.start(path);
  const beta = BigInt(printed[1] ?? '');
  expect(await namesOf(live.symbolizer({ debugDirectory }), liveProcess(pid), [beta])).toEqual(['planted_beta']);
  copyFileSync(compile('unrelated', ['-O2']), debugFile);
  expect(await namesOf(live.symbolizer({ debugDirectory }), liveProcess(pid), [beta])).toEqual([
    expect.stringMatching(/^\[separate\+0x/),
  ]);
});

test('a process that is gone is named when it was prepared in its life, also if its file is deleted meanwhile', async () => {
  const path = compile('short-lived', []);
  const started = await live.start(path);
  const process = liveProcess(started.pid);
  const symbolizer = live.symbolizer();
  rmSync(path);
  const deleted = liveProcess(started.pid);
  expect(deleted.mappings.some((mapping) => mapping.path.endsWith(' (deleted)'))).toBe(true);
  for (const mapping of deleted.mappings) symbolizer.prepare(deleted, mapping);
  await symbolizer.statistics();
  const alpha = BigInt(started.printed[0] ?? '');
  expect(await namesOf(symbolizer, deleted, [alpha])).toEqual(['planted_alpha']);
  await started.end();
  const [location] = await symbolizer.resolveUser(deleted, BigUint64Array.of(alpha + 1n), Uint8Array.of(1));
  expect(location).toMatchObject({ lines: [{ name: 'planted_alpha' }], mapping: { file: path } });
  expect(process.pid).toBe(deleted.pid);
});

test.each([true, false])(
  'a process that is gone before it was looked at is named by its file (build ID: %s)',
  async (withBuildId) => {
    const path = compile(`gone-${withBuildId}`, withBuildId ? [] : ['-Wl,--build-id=none']);
    const started = await live.start(path);
    const process = liveProcess(started.pid);
    await started.end();
    expect(await namesOf(live.symbolizer(), process, [BigInt(started.printed[0] ?? '')])).toEqual(['planted_alpha']);
  },
);

test('another file in the place of a gone one is not believed', async () => {
  const path = compile('replaced', []);
  const started = await live.start(path);
  const process = liveProcess(started.pid);
  await started.end();
  renameSync(compile('replacement', ['-DOTHER', '-O2', '-g']), path);
  expect(await namesOf(live.symbolizer(), process, [BigInt(started.printed[0] ?? '')])).toEqual([
    expect.stringMatching(/^\[replaced\+0x[0-9a-f]+\]$/),
  ]);
  expect(live.lost()).toEqual({ 'reads_failed/file_changed': 1 });
});

test('a file that is gone for good is counted once and shown by file offset', async () => {
  const path = compile('lost', []);
  const started = await live.start(path);
  const process = liveProcess(started.pid);
  await started.end();
  rmSync(path);
  const symbolizer = live.symbolizer();
  const alpha = BigInt(started.printed[0] ?? '');
  const mapping = process.mappings.find(({ start, end }) => alpha >= start && alpha < end);
  const offset = alpha - (mapping?.start ?? 0n) + (mapping?.fileOffset ?? 0n);
  expect(await namesOf(symbolizer, process, [alpha])).toEqual([`[lost+0x${offset.toString(16)}]`]);
  expect(await namesOf(symbolizer, process, [alpha])).toEqual([`[lost+0x${offset.toString(16)}]`]);
  expect(live.lost()).toEqual({ 'reads_failed/file_gone': 1 });
});

test('a file without build ID that is overwritten is read again for the next process', async () => {
  const flags = ['-Wl,--build-id=none', '-no-pie', '-fno-pie'];
  const path = compile('rewritten', flags);
  const symbolizer = live.symbolizer();
  const first = await live.start(path);
  const before = liveProcess(first.pid);
  expect(await namesOf(symbolizer, before, [BigInt(first.printed[0] ?? '')])).toEqual(['planted_alpha']);
  await first.end();
  const other = compile('other', [...flags, '-Dplanted_alpha=renamed_alpha']);
  // The same inode gets other contents.
  copyFileSync(other, path);
  const second = await live.start(path);
  const after = liveProcess(second.pid);
  expect(after.mappings[0]?.inode).toBe(before.mappings[0]?.inode);
  const named = async (): Promise<string[]> => {
    for (const mapping of after.mappings) symbolizer.prepare(after, mapping);
    await symbolizer.statistics();
    return namesOf(symbolizer, after, [BigInt(second.printed[0] ?? '')]);
  };
  // What was read a moment ago is believed for five seconds.
  await expect.poll(named, { timeout: 20_000 }).toEqual(['renamed_alpha']);
});

test('a program that runs from a memfd is named', async () => {
  const path = compile('memory', ['-static']);
  const script = `import os\nfd = os.memfd_create("planted", 0)\nos.write(fd, open(${JSON.stringify(path)}, "rb").read())\nos.execve(fd, ["planted"], {})`;
  const { pid, printed } = await live.start('/usr/bin/python3', ['-c', script]);
  const process = liveProcess(pid);
  expect(process.mappings[0]?.path).toBe('/memfd:planted (deleted)');
  const symbolizer = live.symbolizer();
  const [location] = await symbolizer.resolveUser(
    process,
    BigUint64Array.of(BigInt(printed[0] ?? '')),
    Uint8Array.of(1),
  );
  expect(location).toMatchObject({ lines: [{ name: 'planted_alpha' }], mapping: { file: '/memfd:planted' } });
});

test('the path of a file in a chroot is shown without the root', async () => {
  const path = compile('inside', ['-static']);
  const root = join(live.directory, 'root');
  mkdirSync(join(root, 'bin'), { recursive: true });
  copyFileSync(path, join(root, 'bin', 'inside'));
  const { pid, printed } = await live.start('/usr/sbin/chroot', [root, '/bin/inside']);
  const process = liveProcess(pid);
  const symbolizer = live.symbolizer();
  const [location] = await symbolizer.resolveUser(
    process,
    BigUint64Array.of(BigInt(printed[0] ?? '')),
    Uint8Array.of(1),
  );
  expect(location).toMatchObject({ lines: [{ name: 'planted_alpha' }], mapping: { file: '/bin/inside' } });
});

test('a file of another mount namespace is read through the process', async () => {
  const path = compile('namespaced', ['-static']);
  const script = `mount -t tmpfs none ${live.directory}/mnt && cp ${path} ${live.directory}/mnt/hidden && exec ${live.directory}/mnt/hidden`;
  mkdirSync(join(live.directory, 'mnt'));
  const { pid, printed } = await live.start('/usr/bin/unshare', ['--mount', '/bin/sh', '-c', script]);
  expect(existsSync(join(live.directory, 'mnt', 'hidden'))).toBe(false);
  const names = await namesOf(live.symbolizer(), liveProcess(pid), [BigInt(printed[0] ?? '')]);
  expect(names).toEqual(['planted_alpha']);
});

test('a 32-bit program and its vDSO are named', async () => {
  const source = `
static int call(int n, int a, int b, int c) { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory"); return r; }
int __attribute__((noinline, used)) planted_small(int a) { volatile int b = a; return b * 3; }
void _start(void) { planted_small(2); call(4, 1, (int)"ready\\n", 6); for (;;) call(29, 0, 0, 0); }
`;
  const path = join(live.directory, 'small');
  writeFileSync(`${path}.c`, source);
  execFileSync('gcc', [
    '-m32',
    '-O1',
    '-nostdlib',
    '-static',
    '-ffreestanding',
    '-fno-pie',
    '-no-pie',
    `${path}.c`,
    '-o',
    path,
  ]);
  const { pid } = await live.start(path);
  const process = liveProcess(pid);
  const start = BigInt(
    `0x${/([0-9a-f]+) T planted_small/.exec(execFileSync('nm', [path], { encoding: 'utf8' }))?.[1] ?? ''}`,
  );
  const symbolizer = live.symbolizer();
  expect(await namesOf(symbolizer, process, [start + 2n])).toEqual(['planted_small']);
  const vdso = process.mappings.find((mapping) => mapping.path === '[vdso]');
  const all = Array.from({ length: 2048 }, (_, i) => (vdso?.start ?? 0n) + BigInt(2 * i));
  expect(await namesOf(symbolizer, process, all)).toContain('__kernel_vsyscall');
});

test('the vDSO of 64-bit processes is named', async () => {
  const { pid } = await live.start(compile('vdso', []));
  const process = liveProcess(pid);
  const vdso = process.mappings.find((mapping) => mapping.path === '[vdso]');
  const addresses = BigUint64Array.from({ length: 1024 }, (_, i) => (vdso?.start ?? 0n) + BigInt(4 * i));
  const locations = await live.symbolizer().resolveUser(process, addresses, new Uint8Array(1024).fill(1));
  const names = new Set(locations.map(({ lines }) => lines[0]?.name));
  expect(names).toContain('__vdso_clock_gettime');
  expect(new Set(locations.map(({ mapping }) => mapping.file))).toEqual(new Set(['[vdso]']));
});

test('with a budget that holds one table every name is still right', async () => {
  const symbolizer = live.symbolizer({ budget: 1000 });
  const programs = [];
  for (const kind of ['one', 'two', 'three'])
    programs.push(
      await live.start(
        compile(kind, ['-static', `-DKIND=${kind}`, `-Wl,--build-id=0x${Buffer.from(kind).toString('hex')}`]),
      ),
    );
  for (let round = 0; round < 3; round++) {
    for (const { pid, printed } of programs) {
      const alpha = BigInt(printed[0] ?? '') + BigInt(round);
      expect(await namesOf(symbolizer, liveProcess(pid), [alpha])).toEqual(['planted_alpha']);
    }
  }
  expect((await symbolizer.statistics())?.modules).toBe(1);
});

test('an address outside of all mappings is [unmapped]', async () => {
  const { pid } = await live.start(compile('plain', []));
  expect(await namesOf(live.symbolizer(), liveProcess(pid), [0n, 5n, (1n << 64n) - 1n])).toEqual([
    '[unmapped]',
    '[unmapped]',
    '[unmapped]',
  ]);
});

test('after close every question is still answered', async () => {
  const { pid, printed } = await live.start(compile('closed', []));
  const process = liveProcess(pid);
  const symbolizer = live.symbolizer();
  const pending = namesOf(symbolizer, process, [BigInt(printed[0] ?? '')]);
  await symbolizer.close();
  expect((await pending).length).toBe(1);
  expect(await namesOf(symbolizer, process, [BigInt(printed[0] ?? '')])).toEqual([
    expect.stringMatching(/^\[closed\+0x/),
  ]);
});
