import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { MeasuredSymbolizer } from './create-symbolizer.ts';
import { LiveTest, liveProcess } from './testing/live-process.ts';

const live = new LiveTest();
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** The address between the two labels is in `inner`, inlined into `middle`, inlined into `outer`; the program prints it. */
const program = `#include <stdio.h>
#include <unistd.h>
extern char planted_place[];
static inline __attribute__((always_inline)) int inner(int a) {
  __asm__ volatile(".globl planted_place\\nplanted_place: nop; nop" ::: "memory");
  return a * 3;
}
static inline __attribute__((always_inline)) int middle(int a) {
  return inner(a) + 1;
}
static int __attribute__((noinline)) outer(int a) {
  return middle(a) + 2;
}
int main(void) {
  outer(1);
  printf("%p\\nready\\n", (void *)planted_place);
  fflush(stdout);
  for (;;) pause();
}
`;
const expected = ['inner planted.c:5 (4)', 'middle planted.c:9 (8)', 'outer planted.c:12 (11)'];

function compile(name: string, flags: readonly string[], compiler = 'gcc'): string {
  const directory = join(live.directory, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'planted.c'), program);
  const path = join(directory, 'planted');
  execFileSync(compiler, ['-O1', 'planted.c', '-o', path, ...flags], { stdio: 'pipe', cwd: directory });
  return path;
}

function buildIdOf(path: string): string {
  return /Build ID: ([0-9a-f]+)/.exec(execFileSync('readelf', ['-n', path], { encoding: 'utf8' }))?.[1] ?? '';
}

function debugPath(directory: string, buildId: string): string {
  return join(directory, '.build-id', buildId.slice(0, 2), `${buildId.slice(2)}.debug`);
}

/** Moves the debugging information of a program away. */
function split(path: string, to: string, strip: readonly string[] = ['--strip-all']): void {
  mkdirSync(dirname(to), { recursive: true });
  execFileSync('objcopy', ['--only-keep-debug', path, to]);
  execFileSync('objcopy', [...strip, path]);
}

async function linesAt(symbolizer: MeasuredSymbolizer, path: string): Promise<string[]> {
  const { pid, printed } = await live.start(path);
  return linesOf(symbolizer, pid, BigInt(printed[0] ?? ''));
}

async function linesOf(symbolizer: MeasuredSymbolizer, pid: number, address: bigint): Promise<string[]> {
  const [location] = await symbolizer.resolveUser(liveProcess(pid), BigUint64Array.of(address), Uint8Array.of(1));
  return (location?.lines ?? []).map(({ name, file, line, startLine }) =>
    file === '' ? name : `${name} ${file.replace(/^.*\//, '')}:${line} (${startLine})`,
  );
}

const kinds: readonly [string, readonly string[], string][] = [
  ['dwarf-4', ['-g', '-gdwarf-4'], 'gcc'],
  ['dwarf-5', ['-g', '-gdwarf-5'], 'gcc'],
  ['clang', ['-g'], 'clang'],
  ['compressed', ['-g', '-gz=zlib'], 'gcc'],
  ['split', ['-g', '-gsplit-dwarf'], 'gcc'],
  ['fixed', ['-g', '-no-pie', '-fno-pie'], 'gcc'],
];

test.each(kinds)(
  'inlined functions and lines of a program with debugging information (%s)',
  async (kind, flags, compiler) => {
    expect(await linesAt(live.symbolizer(), compile(kind, flags, compiler))).toEqual(expected);
    expect(live.lost()).toEqual({});
  },
);

test('without debugging information there is one line without file', async () => {
  const symbolizer = live.symbolizer({ debugDirectory: join(live.directory, 'empty') });
  expect(await linesAt(symbolizer, compile('plain', []))).toEqual(['outer']);
  expect(await symbolizer.statistics()).toMatchObject({ debugFiles: 0, debugBytes: 0 });
});

test('a stripped program has the lines of the debug file with its build ID', async () => {
  const debugDirectory = join(live.directory, 'debug');
  const path = compile('by-build-id', ['-g']);
  const file = debugPath(debugDirectory, buildIdOf(path));
  split(path, file);
  expect(await linesAt(live.symbolizer({ debugDirectory }), path)).toEqual(expected);
  // Another file in its place is not believed.
  copyFileSync(compile('unrelated', ['-g', '-O2']), file);
  expect(await linesAt(live.symbolizer({ debugDirectory }), path)).toEqual([expect.stringMatching(/^\[planted\+0x/)]);
});

test.each(['', '.debug/'])(
  'a stripped program without build ID has those of the file that it links to (%s)',
  async (folder) => {
    const path = compile(`by-link-${folder.length}`, ['-g', '-Wl,--build-id=none']);
    const file = join(dirname(path), `${folder}planted.debug`);
    split(path, file);
    execFileSync('objcopy', [`--add-gnu-debuglink=${file}`, path]);
    expect(await linesAt(live.symbolizer(), path)).toEqual(expected);
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.alloc(16)]));
    expect(await linesAt(live.symbolizer(), path)).toEqual([expect.stringMatching(/^\[planted\+0x/)]);
  },
);

test('what dwz moved into a common file is found', async () => {
  const debugDirectory = join(live.directory, 'debug-dwz');
  const paths = ['dwz-no-1', 'dwz-no-2'].map((name) =>
    compile(name, ['-g', `-Wl,--build-id=0x${Buffer.from(name).toString('hex')}`]),
  );
  const debugFiles = paths.map((path) => debugPath(debugDirectory, buildIdOf(path)));
  for (const [i, path] of paths.entries()) split(path, debugFiles[i] ?? '');
  const common = join(debugDirectory, '.dwz', 'common.debug');
  mkdirSync(dirname(common), { recursive: true });
  execFileSync('dwz', ['-m', common, '-M', common, ...debugFiles], { stdio: 'pipe' });
  expect(execFileSync('readelf', ['-SW', debugFiles[0] ?? ''], { encoding: 'utf8', stdio: 'pipe' })).toContain(
    '.gnu_debugaltlink',
  );
  expect(await linesAt(live.symbolizer({ debugDirectory }), paths[1] ?? '')).toEqual(expected);
});

test('a debug file in the root of the process goes before ours', async () => {
  const path = compile('in-root', ['-g', '-static']);
  const debugDirectory = '/usr/lib/debug-planted';
  const root = join(live.directory, 'root');
  mkdirSync(join(root, 'bin'), { recursive: true });
  split(path, debugPath(join(root, debugDirectory), buildIdOf(path)));
  renameSync(path, join(root, 'bin', 'planted'));
  const { pid, printed } = await live.start('/usr/sbin/chroot', [root, '/bin/planted']);
  expect(await linesOf(live.symbolizer({ debugDirectory }), pid, BigInt(printed[0] ?? ''))).toEqual(expected);
});

test('functions of .gnu_debugdata are named beside the exported ones', async () => {
  const path = compile('mini', ['-rdynamic']);
  const mini = join(dirname(path), 'mini');
  execFileSync('objcopy', ['-S', '--keep-symbol=outer', path, mini]);
  writeFileSync(`${mini}.xz`, execFileSync('xz', ['--stdout', mini]));
  execFileSync('objcopy', ['--strip-all', `--add-section=.gnu_debugdata=${mini}.xz`, path]);
  expect(await linesAt(live.symbolizer(), path)).toEqual(['outer']);
});

test('a process that is gone has the lines of its file', async () => {
  const path = compile('gone', ['-g']);
  const started = await live.start(path);
  const process = liveProcess(started.pid);
  await started.end();
  const address = BigUint64Array.of(BigInt(started.printed[0] ?? ''));
  const [location] = await live.symbolizer().resolveUser(process, address, Uint8Array.of(1));
  expect(location?.lines.map(({ name }) => name)).toEqual(['inner', 'middle', 'outer']);
});

test('with a budget that holds one file every line is still right, and the files take turns', async () => {
  const symbolizer = live.symbolizer({ budget: 3000 });
  const paths = ['turn-no1', 'turn-no2'].map((name) =>
    compile(name, ['-g', `-Wl,--build-id=0x${Buffer.from(name).toString('hex')}`]),
  );
  for (let round = 0; round < 2; round++) {
    for (const path of paths) expect(await linesAt(symbolizer, path)).toEqual(expected);
  }
  expect((await symbolizer.statistics())?.debugFiles).toBe(1);
});

test('large debugging information is read in a worker of its own, and names do not wait for it', async () => {
  const path = compile('large', ['-g']);
  const padding = join(dirname(path), 'padding');
  writeFileSync(padding, Buffer.alloc(5 * 1024 * 1024));
  execFileSync('objcopy', [`--add-section=.debug_padding=${padding}`, path]);
  const symbolizer = live.symbolizer();
  const small = await live.start(compile('small', []));
  const large = linesAt(symbolizer, path);
  expect(await linesOf(symbolizer, small.pid, BigInt(small.printed[0] ?? ''))).toEqual(['outer']);
  expect(await large).toEqual(expected);
  const statistics = await symbolizer.statistics();
  expect(statistics?.debugFiles).toBe(1);
  // Beside the test's own thread: two workers, each with a loop of events.
  const threads = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim());
  expect(threads.filter((name) => name.startsWith('everflame-symb')).length).toBe(2);
});

test('damaged debugging information costs the lines, not the name, and is counted', async () => {
  const path = compile('damaged', ['-g']);
  const headers = execFileSync('readelf', ['-SW', path], { encoding: 'utf8' });
  const [, offset = '', size = ''] = /\.debug_abbrev +PROGBITS +\S+ +(\S+) +(\S+)/.exec(headers) ?? [];
  const bytes = readFileSync(path);
  const start = Number.parseInt(offset, 16);
  bytes.fill(0xff, start, start + Number.parseInt(size, 16));
  rmSync(path);
  writeFileSync(path, bytes, { mode: 0o755 });
  expect(await linesAt(live.symbolizer(), path)).toEqual(['outer']);
  expect(live.lost()['reads_failed/debug_info']).toBeGreaterThan(0);
});

interface Debuginfod {
  readonly url: string;
  readonly requests: string[];
}

async function serveDebuginfod(files: ReadonlyMap<string, Uint8Array>): Promise<Debuginfod> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const content = files.get(request.url ?? '');
    response.statusCode = content === undefined ? 404 : 200;
    response.end(content);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
}

test('a debuginfod server is asked once for each build ID, if one is given, and files that are too large are refused', async () => {
  const path = compile('served', ['-g']);
  const buildId = buildIdOf(path);
  const file = join(live.directory, 'served.debug');
  split(path, file);
  const content = readFileSync(file);
  const { url, requests } = await serveDebuginfod(new Map([[`/buildid/${buildId}/debuginfo`, content]]));
  const debugDirectory = join(live.directory, 'empty');
  const options = { urls: [`${url}none`, url], cacheDirectory: join(live.directory, 'cache') };

  expect(await linesAt(live.symbolizer({ debugDirectory }), path)).toEqual([expect.stringMatching(/^\[planted\+0x/)]);
  expect(requests).toEqual([]);

  const limited = { ...options, mostFileBytes: content.length - 1 };
  const refused = await linesAt(live.symbolizer({ debugDirectory, debuginfod: limited }), path);
  expect(refused).toEqual([expect.stringMatching(/^\[planted\+0x/)]);
  expect(readdirSync(options.cacheDirectory)).toEqual([]);

  requests.length = 0;
  expect(await linesAt(live.symbolizer({ debugDirectory, debuginfod: options }), path)).toEqual(expected);
  const asked = requests.filter((request) => request.includes(buildId));
  expect(asked).toEqual([`/none/buildid/${buildId}/debuginfo`, `/buildid/${buildId}/debuginfo`]);
  const [cached = ''] = readdirSync(options.cacheDirectory).filter((name) => name.startsWith(buildId));
  const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  expect(sha(readFileSync(join(options.cacheDirectory, cached)))).toBe(sha(content));

  requests.length = 0;
  expect(await linesAt(live.symbolizer({ debugDirectory, debuginfod: options }), path)).toEqual(expected);
  expect(requests.filter((request) => request.includes(buildId))).toEqual([]);
});

const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find((path) => existsSync(path)) ?? 'go';

test('a stripped Go program has lines and inlined functions without debugging information', async () => {
  const source = join(live.directory, 'planted.go');
  writeFileSync(
    source,
    `package main
import ("fmt"; "os"; "runtime"; "time")
var place uintptr
func inner(a int) int { place, _, _, _ = runtime.Caller(0); return a * 3 }
//go:noinline
func outer(a int) int { return inner(a) + 1 }
func main() { outer(len(os.Args)); fmt.Printf("%d\\nready\\n", place); for { time.Sleep(time.Hour) } }
`,
  );
  const path = join(live.directory, 'planted-go');
  const env = { ...process.env, GO111MODULE: 'off', GOFLAGS: '', CGO_ENABLED: '0' };
  execFileSync(go, ['build', '-ldflags=-s -w', '-o', path, source], { env, stdio: 'pipe' });
  const { pid, printed } = await live.start(path);
  const symbolizer = live.symbolizer();
  const [location] = await symbolizer.resolveUser(
    liveProcess(pid),
    BigUint64Array.of(BigInt(printed[0] ?? '')),
    Uint8Array.of(0),
  );
  expect(location?.lines.map(({ name, line }) => `${name}:${line}`)).toEqual(['main.inner:4', 'main.outer:6']);
  expect(location).toMatchObject({ kind: 'native', mapping: { file: path } });
  expect(await symbolizer.statistics()).toMatchObject({ debugFiles: 0 });
});
