import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { BufferSource } from '../byte-source.ts';
import type { SourceLine } from '../dwarf/dwarf-file.ts';
import { readElfFile } from '../elf/elf-file.ts';
import { FileSource } from '../file-source.ts';
import { goArchitectures } from '../../../../test/support/go-architectures.ts';
import { mutations } from '../testing/mutate.ts';
import { randomNumbers } from '../testing/random.ts';
import { TemporaryFiles } from '../testing/temporary-files.ts';
import { type GoFunctions, openGoFunctions } from './go-functions.ts';

const files = new TemporaryFiles();
const corpus = fileURLToPath(new URL('../../../../test/corpus/go/', import.meta.url));
/** The one that is not packaged stands first: it is the newer. */
const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find((path) => existsSync(path)) ?? 'go';

function functionsOf(bytes: Uint8Array): GoFunctions | undefined {
  const elf = readElfFile(new BufferSource(bytes));
  if (!elf.ok) return undefined;
  const functions = openGoFunctions(elf.value);
  return functions.ok ? functions.value : undefined;
}

function draw(lines: readonly SourceLine[] = []): string[] {
  return lines.map((line) => `${line.function} ${line.file.replace(/^(\.\/)+/, '')}:${line.line}`);
}

const versions = readdirSync(corpus).flatMap((name) => /^go-(.*)\.elf\.zst$/.exec(name)?.[1] ?? []);

test.each(versions)('functions, lines and inlined calls of a stripped program made by Go %s', (version) => {
  const functions = functionsOf(zstdDecompressSync(readFileSync(`${corpus}go-${version}.elf.zst`)));
  const expected = readFileSync(`${corpus}go-${version}.txt`, 'utf8');
  const drawn = [...expected.matchAll(/^0x.*$/gm)].flatMap(([address]) => [
    address,
    ...draw(functions?.find(BigInt(address))).map((line) => `  ${line}`),
  ]);
  expect(drawn.join('\n')).toBe(expected.trimEnd());
  expect(functions?.hasInlines).toBe(!/^1\.1[0-7]\./.test(version));
});

test('the corpus has every layout of the table', () => {
  expect(versions.map((version) => version.replace(/\.\d+$/, ''))).toEqual(['1.15', '1.16', '1.18', '1.20', '1.24']);
});

/** Says where it is loaded and faults in an inlined function; the runtime prints the instruction's address and the calls, inlined ones with (...). */
const program = `package main
import "os"
type node struct { value int; next *node }
func leaf(n *node) int { return n.value ^ 5 }
func tiny(n *node) int { return leaf(n)*3 + leaf(n.next) }
//go:noinline
func Planted(n *node) int {
  if len(os.Args) > 2 { return leaf(n) }
  return n.value + tiny(n.next)
}
func main() {
  maps, _ := os.ReadFile("/proc/self/maps")
  os.Stderr.Write(maps)
  end := &node{next: nil}
  switch os.Args[1] {
  case "leaf": Planted(nil)
  case "first": Planted(&node{})
  case "second": Planted(&node{next: end})
  }
}
`;

/** The same for other machines, where it does not run: without packages, which would have to be compiled. */
const portable = program
  .replace('import "os"', 'var isShort bool')
  .replace('len(os.Args) > 2', 'isShort')
  .replace(/func main[^]*/, 'func main() { println(Planted(&node{next: &node{}})) }\n');

const builds: readonly [string, readonly string[]][] = [
  ['plain', []],
  ['stripped', ['-ldflags=-s -w']],
  ['pie', ['-buildmode=pie', '-ldflags=-s -w']],
];

function build(
  kind: string,
  flags: readonly string[],
  environment: Record<string, string> = {},
  text = program,
): string {
  const path = files.path(`planted-${kind}`);
  const source = files.write('planted.go', text);
  execFileSync(go, ['build', ...flags, '-o', path, source], {
    env: { ...process.env, GO111MODULE: 'off', GOFLAGS: '', CGO_ENABLED: '0', ...environment },
    stdio: 'pipe',
  });
  return path;
}

test.each(builds)('the calls that a %s program prints when it faults are found by the address', (kind, flags) => {
  const path = build(kind, flags);
  const bytes = readFileSync(path);
  const elf = readElfFile(new BufferSource(bytes));
  const [segment] = (elf.ok ? elf.value.segments : []).filter(({ type, fileOffset }) => type === 1 && fileOffset === 0);
  const functions = functionsOf(bytes);
  const chains = [['leaf', 'x'], ['leaf'], ['first'], ['second']].map((args) => {
    const { stderr } = spawnSync(path, args, { encoding: 'utf8' });
    const start = /^([0-9a-f]+)-\S+ \S+ 0+ .*planted/m.exec(stderr)?.[1] ?? '';
    const [, pc = '', frames = ''] = / pc=0x([0-9a-f]+)\][^]*\ngoroutine 1.*\n([^]*?)main\.main/.exec(stderr) ?? [];
    const address = BigInt(`0x${pc}`) - BigInt(`0x${start}`) + (segment?.virtualAddress ?? 0n);
    const calls = [...frames.matchAll(/^(main\.\w+)\((.*)\)\n\t(\S+)/gm)];
    const theirs = calls.map(([, name, given, position]) => `${name} ${position} ${given === '...'}`);
    const ours = functions
      ?.find(address)
      ?.map((line) => `${line.function} ${line.file}:${line.line} ${line.isInlined}`);
    expect(ours).toEqual(theirs);
    return calls.map(([, name]) => name).join(' ');
  });
  expect(chains).toEqual([
    'main.leaf main.Planted',
    'main.Planted',
    'main.tiny main.Planted',
    'main.leaf main.tiny main.Planted',
  ]);
});

test('a thousand random addresses of the go command have the function and line that go tool addr2line prints', () => {
  const fd = openSync(go, 'r');
  try {
    const elf = readElfFile(new FileSource(fd));
    if (!elf.ok) throw new Error(elf.error.detail);
    const functions = openGoFunctions(elf.value);
    if (!functions.ok || functions.value === undefined) throw new Error('no table of Go');
    const text = elf.value.sections.find(({ name }) => name === '.text');
    const random = randomNumbers(4099);
    const addresses = Array.from(
      { length: 1000 },
      () => (text?.virtualAddress ?? 0n) + BigInt(Math.floor(random() * (text?.size ?? 0))),
    );
    const input = addresses.map((address) => address.toString(16)).join('\n');
    const printed = execFileSync(go, ['tool', 'addr2line', go], { input: `${input}\n`, encoding: 'utf8' }).split('\n');
    const different = addresses.flatMap((address, i) => {
      const lines = functions.value?.find(address);
      // Between functions the tool goes on with the one before; nothing runs there.
      if (lines === undefined) return [];
      const ours = `${lines.at(-1)?.function} ${lines[0]?.file}:${lines[0]?.line}`;
      const theirs = `${printed[2 * i]} ${printed[2 * i + 1]}`;
      return ours === theirs ? [] : [`${address.toString(16)}: ${ours}, not ${theirs}`];
    });
    expect(different).toEqual([]);
    const named = addresses.filter((address) => functions.value?.find(address) !== undefined);
    expect(named.length).toBeGreaterThan(900);
  } finally {
    closeSync(fd);
  }
});

test.each(goArchitectures)('a stripped program for %s has its functions and inlined calls', (architecture) => {
  const plain = build(`plain-${architecture}`, [], { GOARCH: architecture }, portable);
  const stripped = build(`stripped-${architecture}`, ['-ldflags=-s -w'], { GOARCH: architecture }, portable);
  const listed = execFileSync(go, ['tool', 'nm', '-size', '-type', plain], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const [, start = '', size = ''] = /^\s*([0-9a-f]+)\s+(\d+) T main\.Planted$/m.exec(listed) ?? [];
  const functions = functionsOf(readFileSync(stripped));
  const first = BigInt(`0x${start}`);
  const drawings = Array.from({ length: Number(size) / 2 }, (_, i) => draw(functions?.find(first + BigInt(2 * i))));
  const chains = new Set(drawings.map((lines) => lines.map((line) => line.replace(/ .*/, '')).join(' ')));
  expect([...chains]).toEqual(
    expect.arrayContaining(['main.leaf main.tiny main.Planted', 'main.leaf main.Planted', 'main.Planted']),
  );
});

test('a program without section headers is found by its bytes', () => {
  const path = build('headless', ['-ldflags=-s -w']);
  const bytes = readFileSync(path);
  const whole = functionsOf(bytes);
  const elf = readElfFile(new BufferSource(bytes));
  const text = (elf.ok ? elf.value.sections : []).find(({ name }) => name === '.text');
  bytes.fill(0, 40, 48);
  bytes.fill(0, 60, 64);
  const headless = functionsOf(bytes);
  const at = (text?.virtualAddress ?? 0n) + 5000n;
  expect(headless?.length).toBe(whole?.length);
  for (let i = 0n; i < 100_000n; i += 997n) expect(headless?.find(at + i)).toEqual(whole?.find(at + i));
});

test('programs that are not made by Go have no table', () => {
  expect(functionsOf(readFileSync('/bin/bash'))).toBeUndefined();
});

test.each(versions)('no damage to a table of Go %s makes a look-up throw, hang or grow', (version) => {
  const valid = zstdDecompressSync(readFileSync(`${corpus}go-${version}.elf.zst`));
  const addresses = [...readFileSync(`${corpus}go-${version}.txt`, 'utf8').matchAll(/^0x.*$/gm)].map(([text]) =>
    BigInt(text),
  );
  // Only what is not zero says anything.
  const used = Array.from(valid.keys()).filter((at) => valid[at] !== 0);
  const random = randomNumbers(17);
  let changed = 0;
  const before = draw(functionsOf(valid)?.find(addresses[3] ?? 0n)).join('\n');
  const look = (bytes: Uint8Array): void => {
    const functions = functionsOf(bytes);
    for (const address of addresses) expect(functions?.find(address)?.length ?? 0).toBeLessThanOrEqual(257);
    if (draw(functions?.find(addresses[3] ?? 0n)).join('\n') !== before) changed++;
  };
  const copy = Uint8Array.from(valid);
  for (let round = 0; round < 300; round++) {
    const damaged = Array.from(
      { length: 1 + Math.floor(random() * 30) },
      () => used[Math.floor(random() * used.length)] ?? 0,
    );
    for (const at of damaged) copy[at] = Math.floor(random() * 256);
    look(copy);
    for (const at of damaged) copy[at] = valid[at] ?? 0;
  }
  for (const bytes of mutations(valid, 40, 23)) look(bytes);
  expect(changed).toBeGreaterThan(5);
});
