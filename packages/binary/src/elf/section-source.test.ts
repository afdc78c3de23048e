import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { deflateSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { asResult } from '../binary-error.ts';
import { BufferSource } from '../byte-source.ts';
import { TemporaryFiles } from '../testing/temporary-files.ts';
import { type ElfFile, readElfFile } from './elf-file.ts';
import { readElfFunctions } from './elf-functions.ts';
import { openSection } from './section-source.ts';

const files = new TemporaryFiles();
const program = 'int planted(int a) { return a * 3; }\nint main(void) { return planted(2); }\n';

function elfOf(bytes: Uint8Array): ElfFile {
  const elf = readElfFile(new BufferSource(bytes));
  if (!elf.ok) throw new Error(elf.error.detail);
  return elf.value;
}

function contentOf(elf: ElfFile, name: string): Uint8Array {
  const section = elf.sections.find((each) => each.name === name);
  if (section === undefined) throw new Error(`no ${name}`);
  const source = openSection(elf, section);
  return Uint8Array.from(source.read(0, source.size));
}

/** The file with a section's bytes replaced by `content`, which begins with a compression header of `type` and `size`. */
function withCompressed(bytes: Uint8Array, name: string, type: number, size: bigint, content: Uint8Array): Uint8Array {
  const elf = elfOf(bytes);
  const index = elf.sections.findIndex((section) => section.name === name);
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, type, true);
  header.setBigUint64(8, size, true);
  header.setBigUint64(16, 1n, true);
  const changed = Uint8Array.from(Buffer.concat([bytes, new Uint8Array(header.buffer), content]));
  const view = new DataView(changed.buffer);
  const at = Number(view.getBigUint64(40, true)) + 64 * index;
  view.setBigUint64(at + 8, view.getBigUint64(at + 8, true) | 0x800n, true);
  view.setBigUint64(at + 24, BigInt(bytes.length), true);
  view.setBigUint64(at + 32, BigInt(24 + content.length), true);
  return changed;
}

test.each(['zlib', 'zlib-gnu', 'zstd'])('sections that objcopy compressed with %s have their bytes', (method) => {
  const path = files.compile('gcc', `sections-${method}.c`, program, ['-g', '-O1', '-fdebug-types-section']);
  const compressed = files.path(`compressed-${method}`);
  const plain = elfOf(readFileSync(path));
  execFileSync('objcopy', [`--compress-debug-sections=${method}`, path, compressed], { stdio: 'pipe' });
  const elf = elfOf(readFileSync(compressed));
  const isCompressed = elf.sections.filter(({ flags, name }) => (flags & 0x800) !== 0 || name.startsWith('.zdebug_'));
  expect(isCompressed.length).toBeGreaterThan(0);
  for (const { name } of isCompressed) {
    const original = name.replace(/^\.zdebug_/, '.debug_');
    expect(contentOf(elf, name)).toEqual(contentOf(plain, original));
  }
});

test('compressed symbol tables name functions', () => {
  const path = files.compile('gcc', 'symbols.c', program, ['-O1']);
  let bytes: Uint8Array = readFileSync(path);
  for (const name of ['.symtab', '.strtab']) {
    const content = contentOf(elfOf(bytes), name);
    bytes = withCompressed(bytes, name, 1, BigInt(content.length), deflateSync(content));
  }
  const functions = readElfFunctions(elfOf(bytes));
  if (!functions.ok) throw new Error(functions.error.detail);
  const names = Array.from({ length: functions.value.length }, (_, i) => functions.value.at(i).systemName);
  expect(names).toEqual(expect.arrayContaining(['planted', 'main']));
});

test('what inflates to more than it declares, or declares too much, is refused without being held', () => {
  const bytes = readFileSync(files.compile('gcc', 'bomb.c', program, ['-g']));
  const zeros = new Uint8Array(64 * 1024 * 1024);
  const outcome = (type: number, size: bigint, content: Uint8Array): string => {
    const elf = elfOf(withCompressed(bytes, '.debug_info', type, size, content));
    const result = asResult(() => contentOf(elf, '.debug_info'));
    return result.ok ? `${result.value.length} bytes` : result.error.code;
  };
  const bomb = deflateSync(zeros);
  const before = process.memoryUsage().arrayBuffers;
  expect(outcome(1, 1000n, bomb)).toBe('malformed');
  expect(outcome(2, 1000n, zstdCompressSync(zeros))).toBe('malformed');
  expect(outcome(1, 1n << 40n, bomb)).toBe('too_large');
  expect(outcome(1, 1n << 60n, bomb)).toBe('malformed');
  expect(outcome(3, 1000n, bomb)).toBe('unsupported');
  expect(outcome(1, 1000n, bomb.subarray(0, 20))).toBe('malformed');
  expect(outcome(1, 64n, deflateSync(zeros.subarray(0, 64)))).toBe('64 bytes');
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
});
