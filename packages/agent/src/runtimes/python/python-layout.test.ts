import { existsSync, openSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { BufferSource, FileSource, type PythonSymbols, readElfFile, readPythonSymbols } from '@everflame/binary';
import { expect, test } from 'vitest';

import { makePythonLayout } from './python-layout.ts';

const loop = { start: 0x1000n, end: 0x2000n };
const symbols: PythonSymbols = { version: [3, 11], runtime: 0x5000n, loop, glue: [], runtimeHead: undefined };

// oxfmt-ignore
const offsets313: Readonly<Record<number, number>> = {
  8: 0x030d00f0, 16: 0, 40: 632, 64: 7264, 72: 7344, 168: 8, 184: 72, 192: 152,
  224: 80, 232: 8, 240: 0, 248: 56, 264: 70, 272: 208, 280: 112, 288: 120, 296: 128, 304: 136, 312: 68, 344: 200,
  544: 32, 552: 16, 560: 40,
};

// oxfmt-ignore
const offsets314: Readonly<Record<number, number>> = {
  8: 0x030e03f0, 16: 0, 40: 808, 64: 7272, 72: 7344, 96: 7664, 192: 8, 208: 72, 216: 152,
  248: 88, 256: 8, 264: 0, 272: 56, 288: 74, 312: 216, 320: 112, 328: 120, 336: 128, 344: 136, 352: 68, 384: 208,
  624: 32, 632: 16, 640: 40,
};

/** struct _Py_DebugOffsets as CPython 3.13.0 or 3.14.3 has it, by the offset of each number that is read. */
function describe(changed: Readonly<Record<number, number>> = {}, said = offsets313): Uint8Array {
  const view = new DataView(new ArrayBuffer(1024));
  new Uint8Array(view.buffer).set(Buffer.from('xdebugpy'));
  for (const [at, value] of Object.entries({ ...said, ...changed })) view.setBigUint64(Number(at), BigInt(value), true);
  return new Uint8Array(view.buffer);
}

const described = (changed?: Readonly<Record<number, number>>): PythonSymbols => ({
  ...symbols,
  version: [3, 13],
  runtimeHead: describe(changed),
});

test('a Python that is not known, or says of itself what cannot be, is refused in words', () => {
  expect([
    makePythonLayout({ ...symbols, version: [3, 7] }),
    makePythonLayout({ ...symbols, version: [3, 15] }),
    makePythonLayout({ ...symbols, version: [0, 0] }),
    makePythonLayout({ ...symbols, loop: undefined }),
    makePythonLayout({ ...symbols, version: [3, 13] }),
    makePythonLayout(described({ 16: 1 })),
    makePythonLayout(described({ 8: 0x030e00f0 })),
    makePythonLayout(described({ 248: 96, 72: 2 ** 40 })),
    makePythonLayout(described({ 312: 67 })),
  ]).toEqual([
    'Python 3.7 is not known',
    'Python 3.15 is not known',
    'Python 0.0 is not known',
    'its loop has no symbol',
    'its runtime does not begin with a description of itself',
    'free-threaded builds are not known',
    'its description is that of version 30e00f0',
    'its description has interpreterThreads = 1099511627776, framePlace = 96',
    'its description has firstLine = 67',
  ]);
});

test('3.13 is laid out as it describes itself', () => {
  const layout = makePythonLayout(described());
  if (typeof layout === 'string') throw new Error(layout);
  expect(layout.frames).toMatchObject({ interpreterThreads: 7344, threadFrame: 72, frameMark: 70, codeFirst: 200 });
  expect({ code: layout.code, text: layout.text }).toEqual({
    code: { file: 112, name: 120, qualifiedName: 128, firstLine: 68, lines: 136 },
    text: { length: 16, state: 32, ascii: 40, compact: 56 },
  });
});

test('so is 3.14, whose description has more in between', () => {
  const layout = makePythonLayout({ ...symbols, version: [3, 14], runtimeHead: describe({}, offsets314) });
  if (typeof layout === 'string') throw new Error(layout);
  expect(layout.frames).toMatchObject({ interpreterThreads: 7344, threadFrame: 72, frameMark: 74, codeFirst: 208 });
  expect({ code: layout.code, text: layout.text, modules: layout.objects.modules }).toEqual({
    code: { file: 112, name: 120, qualifiedName: 128, firstLine: 68, lines: 136 },
    text: { length: 16, state: 32, ascii: 40, compact: 56 },
    modules: 7664,
  });
  const taken = makePythonLayout({ ...symbols, version: [3, 14], runtimeHead: describe() });
  expect(taken).toBe('its description is that of version 30d00f0');
});

/** Programs and libraries of CPython on this machine, with their minor version by their name. */
function files(): (readonly [path: string, minor: number])[] {
  const versions = join(homedir(), '.pyenv/versions');
  const own = existsSync(versions) ? readdirSync(versions) : [];
  const found = own.flatMap((name) => {
    const minor = Number(/^3\.([89]|1[0-4])\./u.exec(name)?.[1]);
    const path = join(versions, name, `lib/libpython3.${minor}.so.1.0`);
    return existsSync(path) ? [[path, minor] as const] : [];
  });
  const debians = readdirSync('/usr/bin').flatMap((name) => {
    const minor = Number(/^python3\.([89]|1[0-4])$/u.exec(name)?.[1]);
    return Number.isNaN(minor) ? [] : [[join('/usr/bin', name), minor] as const];
  });
  return [...debians, ...found];
}

test('the symbols of each Python on this machine tell its version and make a layout', () => {
  const found = files();
  expect(found.length).toBeGreaterThan(0);
  const read = found.map(([path]) => {
    const elf = readElfFile(new FileSource(openSync(path, 'r')));
    const result = elf.ok ? readPythonSymbols(elf.value) : elf;
    const layout = result.ok && result.value !== undefined ? makePythonLayout(result.value) : 'no symbols';
    return [path, typeof layout === 'string' ? layout : layout.version[1]];
  });
  expect(read).toEqual(found);
});

test('a file that is cut or changed anywhere is refused or has no symbols, and nothing is thrown', () => {
  const [path] = files()[0] ?? [];
  if (path === undefined) throw new Error('no Python');
  const source = new FileSource(openSync(path, 'r'));
  const whole = Buffer.from(source.read(0, source.size));
  let seed = 11;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const outcomes = new Set<string>();
  for (let round = 0; round < 60; round++) {
    const isCut = round % 2 === 0;
    const bytes = Buffer.from(isCut ? whole.subarray(0, random(whole.length)) : whole);
    // Headers, or anything.
    const end = round % 4 === 1 ? 4096 : bytes.length;
    if (!isCut) for (let i = 0; i < 20; i++) bytes[random(end)] = random(256);
    const elf = readElfFile(new BufferSource(bytes));
    const symbolsOf = elf.ok ? readPythonSymbols(elf.value) : elf;
    outcomes.add(symbolsOf.ok ? (symbolsOf.value === undefined ? 'none' : 'found') : 'error');
  }
  expect(outcomes.size).toBeGreaterThan(1);
});
