import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { xz } from '../testing/xz.ts';
import { expect, test } from 'vitest';
import { BufferSource } from '../byte-source.ts';
import { mutations } from '../testing/mutate.ts';
import { TemporaryFiles } from '../testing/temporary-files.ts';
import { crcOfSource, dwarfBytesOf, readDebugLink, readMiniDebugInfo, readSupplementaryLink } from './debug-links.ts';
import { decompressXz } from './decompress-xz.ts';
import { type ElfFile, readElfFile } from './elf-file.ts';
import { readElfFunctions } from './elf-functions.ts';

const files = new TemporaryFiles();
const program =
  'static int __attribute__((noinline)) hidden(int a) { return a * 3; }\nint main(int c, char **v) { return hidden(c); }\n';

function elfOf(bytes: Uint8Array): ElfFile {
  const elf = readElfFile(new BufferSource(bytes));
  if (!elf.ok) throw new Error(elf.error.detail);
  return elf.value;
}

function namesOf(elf: ElfFile): string[] {
  const functions = readElfFunctions(elf);
  if (!functions.ok) throw new Error(functions.error.detail);
  return Array.from({ length: functions.value.length }, (_, i) => functions.value.at(i).systemName);
}

/** A stripped program with `content` as a section. */
function withSection(name: string, content: Uint8Array): Uint8Array {
  const path = files.compile('gcc', 'stripped.c', program, ['-O1', '-s']);
  const output = files.path('with-section');
  execFileSync('objcopy', [`--add-section=${name}=${files.write('section', content)}`, path, output]);
  return readFileSync(output);
}

test('.gnu_debuglink names the file that objcopy was given, with its CRC-32', () => {
  const path = files.compile('gcc', 'linked.c', program, ['-O1', '-g']);
  const debug = files.path('linked.debug');
  execFileSync('objcopy', ['--only-keep-debug', path, debug]);
  execFileSync('objcopy', ['--strip-all', `--add-gnu-debuglink=${debug}`, path]);
  const elf = elfOf(readFileSync(path));
  expect(readDebugLink(elf)).toEqual({ name: 'linked.debug', crc: crcOfSource(new BufferSource(readFileSync(debug))) });
  expect(dwarfBytesOf(elf)).toBe(0);
  expect(dwarfBytesOf(elfOf(readFileSync(debug)))).toBeGreaterThan(200);
  expect(namesOf(elfOf(readFileSync(debug)))).toContain('hidden');
});

test('a link that leaves its directory is no link', () => {
  for (const name of ['../../etc/passwd', '/etc/passwd', '..', '']) {
    const content = Buffer.concat([Buffer.from(name), Buffer.alloc(8 - (name.length % 4))]);
    expect(readDebugLink(elfOf(withSection('.gnu_debuglink', content)))).toBeUndefined();
  }
});

test('.gnu_debugaltlink names the file that dwz made, with its build ID', () => {
  const paths = ['one', 'two'].map((name) => files.compile('gcc', `${name}.c`, program, ['-O1', '-g']));
  const common = files.path('common.debug');
  execFileSync('dwz', ['-m', common, '-M', '/usr/lib/debug/.dwz/common.debug', ...paths], { stdio: 'pipe' });
  const printed = execFileSync('readelf', ['-n', common], { encoding: 'utf8' });
  expect(readSupplementaryLink(elfOf(readFileSync(paths[0] ?? '')))).toEqual({
    path: '/usr/lib/debug/.dwz/common.debug',
    buildId: /Build ID: ([0-9a-f]+)/.exec(printed)?.[1],
  });
});

test('.gnu_debugdata names the functions of a stripped program', async () => {
  const path = files.compile('gcc', 'mini.c', program, ['-O1']);
  const mini = files.path('mini.debug');
  execFileSync('objcopy', ['-S', '--keep-symbol=hidden', '--remove-section=.comment', path, mini]);
  const elf = elfOf(withSection('.gnu_debugdata', xz(readFileSync(mini))));
  expect(namesOf(elf)).not.toContain('hidden');
  const inner = await readMiniDebugInfo(elf);
  if (!inner.ok || inner.value === undefined) throw new Error('no mini debug information');
  expect(namesOf(inner.value)).toEqual(['hidden']);
});

test('a bomb of xz is stopped, damage is an error, and the next stream is read', async () => {
  const bomb = xz(new Uint8Array(80 * 1024 * 1024));
  const result = await readMiniDebugInfo(elfOf(withSection('.gnu_debugdata', bomb)));
  expect(result).toMatchObject({ ok: false, error: { code: 'too_large' } });
  const valid = xz(readFileSync('/bin/true'));
  const before = process.memoryUsage().rss;
  let failed = 0;
  let longest = 0;
  for (const bytes of mutations(valid, 200, 5)) {
    const outcome = await decompressXz(bytes, 1024 * 1024);
    if (outcome.ok) longest = Math.max(longest, outcome.value.length);
    else failed++;
  }
  for (let cut = 0; cut < valid.length; cut += 311)
    expect((await decompressXz(valid.subarray(0, cut), 1e6)).ok).toBe(false);
  expect(longest).toBeLessThanOrEqual(1024 * 1024);
  expect(failed).toBeGreaterThan(100);
  expect(await decompressXz(valid, 1e6)).toEqual({ ok: true, value: readFileSync('/bin/true') });
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
});
