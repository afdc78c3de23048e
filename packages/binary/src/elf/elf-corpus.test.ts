import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { asResult } from '../binary-error.ts';
import { BufferSource } from '../byte-source.ts';
import { openGoFunctions } from '../go/go-functions.ts';
import { mutations } from '../testing/mutate.ts';
import { dwarfBytesOf, readDebugLink, readSupplementaryLink } from './debug-links.ts';
import { readBuildIds } from './elf-build-id.ts';
import { readElfFile } from './elf-file.ts';
import { readElfFunctions } from './elf-functions.ts';
import { openSection } from './section-source.ts';

const corpus = fileURLToPath(new URL('../../../../test/corpus/elf/', import.meta.url));
const names = readdirSync(corpus).filter((name) => /\.(so|o)$/.test(name));

test('the corpus has both classes and both byte orders', () => {
  const kinds = names.map((name) => {
    const elf = readElfFile(new BufferSource(readFileSync(`${corpus}${name}`)));
    if (!elf.ok) throw new Error(elf.error.detail);
    return `${elf.value.is64Bit ? 64 : 32} ${elf.value.littleEndian ? 'little' : 'big'}`;
  });
  expect([...new Set(kinds)].sort()).toEqual(['32 big', '32 little', '64 big', '64 little']);
});

test.each(names)('functions of %s have the addresses and sizes that readelf prints', (name) => {
  const printed = execFileSync('readelf', ['-sW', `${corpus}${name}`], { encoding: 'utf8', stdio: 'pipe' });
  const elf = readElfFile(new BufferSource(readFileSync(`${corpus}${name}`)));
  if (!elf.ok) throw new Error(elf.error.detail);
  const functions = readElfFunctions(elf.value);
  if (!functions.ok) throw new Error(functions.error.detail);
  for (const symbol of ['plain', 'hidden', 'weak_one']) {
    const [, start = '', size = ''] = new RegExp(`([0-9a-f]+) +(\\d+) FUNC .* ${symbol}$`, 'm').exec(printed) ?? [];
    // The lowest bit of an ARM function says Thumb; none of these is.
    const address = BigInt(`0x${start}`);
    const found = functions.value.find(address + BigInt(size) - 1n);
    expect(found).toEqual({ start: address, end: address + BigInt(size), systemName: symbol });
  }
});

test.each(names)('no damage to %s makes a reader throw, hang or take memory out of proportion', (name) => {
  const valid = readFileSync(`${corpus}${name}`);
  let readable = 0;
  const read = (bytes: Uint8Array): void => {
    const elf = readElfFile(new BufferSource(bytes));
    if (!elf.ok) return;
    readBuildIds(elf.value);
    readDebugLink(elf.value);
    readSupplementaryLink(elf.value);
    dwarfBytesOf(elf.value);
    openGoFunctions(elf.value);
    for (const section of elf.value.sections.slice(0, 64)) {
      const opened = asResult(() => openSection(elf.value, section, 1024 * 1024));
      if (opened.ok && opened.value.size > 1024 * 1024 + bytes.length) throw new Error(`${opened.value.size} bytes`);
    }
    const functions = readElfFunctions(elf.value);
    if (!functions.ok) return;
    readable++;
    expect(functions.value.byteLength).toBeLessThan(64 * bytes.length + 65_536);
    for (let i = 0; i < functions.value.length; i++) functions.value.at(i);
  };
  for (let cut = 0; cut < valid.length; cut += 7) read(valid.subarray(0, cut));
  for (const bytes of mutations(valid, 800, 31)) read(bytes);
  expect(readable).toBeGreaterThan(200);
});
