import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BufferSource } from '../byte-source.ts';
import { type ElfFile, readElfFile } from '../elf/elf-file.ts';
import { mutations } from '../testing/mutate.ts';
import { readGoBuildInfo } from './go-build-info.ts';

const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find((path) => existsSync(path)) ?? 'go';
let folder = '';
let program = new Uint8Array();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'everflame-go-'));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  writeFileSync(join(folder, 'go.mod'), 'module example.com/shop\n\ngo 1.18\n');
  writeFileSync(join(folder, 'main.go'), 'package main\n\nfunc main() {}\n');
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'one');
  const env = { ...process.env, GOFLAGS: '', GO111MODULE: 'on' };
  execFileSync(go, ['build', '-buildvcs=true', '-ldflags=-s -w', '-o', 'shop', '.'], { cwd: folder, env });
  program = readFileSync(join(folder, 'shop'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

function elfOf(bytes: Uint8Array): ElfFile {
  const elf = readElfFile(new BufferSource(bytes));
  if (!elf.ok) throw new Error(elf.error.detail);
  return elf.value;
}

test('a stripped program says what `go version -m` says of it', () => {
  const info = readGoBuildInfo(elfOf(program));
  const listed = execFileSync(go, ['version', '-m', join(folder, 'shop')], { encoding: 'utf8' });
  const [, goVersion = ''] = /: (\S+)\n/.exec(listed) ?? [];
  const settings = [...listed.matchAll(/^\tbuild\t([^=\n]+)=(.*)$/gm)].map(([, key, value]) => [key, value]);
  expect(settings.length).toBeGreaterThan(5);
  expect(info.ok ? info.value : info.error).toEqual({
    goVersion,
    mainVersion: /^\tmod\t\S+\t(\S+)/m.exec(listed)?.[1] ?? '',
    settings: new Map(settings.map(([key = '', value = '']) => [key, value.replace(/^"(.*)"$/, '$1')] as const)),
  });
  const head = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: folder, encoding: 'utf8' }).trim();
  expect(info.ok ? info.value?.settings.get('vcs.revision') : '').toBe(head);
});

test('a program that is not Go’s has none', () => {
  const info = readGoBuildInfo(elfOf(readFileSync('/bin/true')));
  expect(info).toEqual({ ok: true, value: undefined });
});

/** A section and a segment at 0x1000 with the layout of before Go 1.18: pointers to strings. */
function oldLayout(bytes: Buffer): ElfFile {
  const section = {
    index: 1,
    name: '.go.buildinfo',
    type: 1,
    flags: 0,
    virtualAddress: 0x1000n,
    link: 0,
    entrySize: 0,
  };
  return {
    source: new BufferSource(bytes),
    is64Bit: true,
    littleEndian: true,
    type: 2,
    machine: 62,
    entry: 0n,
    segments: [
      {
        type: 1,
        flags: 4,
        fileOffset: 0,
        virtualAddress: 0x1000n,
        fileSize: bytes.length,
        memorySize: bytes.length,
        align: 1,
      },
    ],
    sections: [{ ...section, fileOffset: 0, size: 32 }],
  };
}

function oldBytes(): Buffer {
  const mark = '0123456789abcdef';
  const module = `${mark}path\texample.com/a\nmod\texample.com/a\tv1.4.2\th1:x=\ndep\texample.com/b\tv0.1.0\n${mark}`;
  const bytes = Buffer.alloc(512);
  bytes.write('\xff Go buildinf:', 0, 'latin1');
  bytes[14] = 8;
  const texts = [
    { text: 'go1.16.15', at: 200 },
    { text: module, at: 240 },
  ];
  for (const [i, { text, at }] of texts.entries()) {
    const header = 64 + 16 * i;
    bytes.writeBigUInt64LE(BigInt(0x1000 + header), 16 + 8 * i);
    bytes.writeBigUInt64LE(BigInt(0x1000 + at), header);
    bytes.writeBigUInt64LE(BigInt(text.length), header + 8);
    bytes.write(text, at);
  }
  return bytes;
}

test('the layout of before Go 1.18 is read through its pointers', () => {
  const info = readGoBuildInfo(oldLayout(oldBytes()));
  expect(info).toEqual({ ok: true, value: { goVersion: 'go1.16.15', mainVersion: 'v1.4.2', settings: new Map() } });
});

test('damaged build information is refused or read, never thrown over', () => {
  const outcomes = new Set<boolean>();
  for (const bytes of mutations(oldBytes(), 3000, 7)) {
    outcomes.add(readGoBuildInfo(oldLayout(Buffer.from(bytes))).ok);
  }
  const section = elfOf(program).sections.find(({ name }) => name === '.go.buildinfo');
  const start = section?.fileOffset ?? 0;
  const inline = Buffer.from(program.subarray(start, start + (section?.size ?? 0)));
  for (const bytes of mutations(inline, 3000, 8)) {
    const elf = oldLayout(Buffer.from(bytes));
    outcomes.add(readGoBuildInfo({ ...elf, sections: elf.sections.map((one) => ({ ...one, size: bytes.length })) }).ok);
  }
  expect(outcomes).toEqual(new Set([true, false]));
});
