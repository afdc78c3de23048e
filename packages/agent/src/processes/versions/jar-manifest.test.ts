import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BufferSource } from '@everflame/binary';
import { afterAll, expect, test } from 'vitest';
import { readJarManifest } from './jar-manifest.ts';

const folder = mkdtempSync(join(tmpdir(), 'everflame-jar-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Written by Python's zipfile. */
function jar(manifest: string, compression: 'ZIP_STORED' | 'ZIP_DEFLATED', entries = 3): Buffer {
  const file = join(folder, 'made.jar');
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.${compression}) as out:
    for i in range(int(sys.argv[3])): out.writestr('com/example/Class%d.class' % i, b'x' * 100)
    if sys.argv[2]: out.writestr('META-INF/MANIFEST.MF', sys.argv[2])
    out.comment = b'a comment'
`;
  execFileSync('python3', ['-c', script, file, manifest, String(entries)]);
  return readFileSync(file);
}

const manifest =
  'Manifest-Version: 1.0\r\nImplementation-Title: shop\r\nImplementation-Version: 1.4.2-a-long-name-that-is-continued-on-the-ne\r\n xt-line\r\n\r\nName: com/example\r\nImplementation-Version: 9\r\n';

test.each(['ZIP_STORED', 'ZIP_DEFLATED'] as const)('the main attributes of a manifest, %s', (compression) => {
  const read = readJarManifest(new BufferSource(jar(manifest, compression)));
  expect(read.ok && Object.fromEntries(read.value ?? [])).toEqual({
    'Manifest-Version': '1.0',
    'Implementation-Title': 'shop',
    'Implementation-Version': '1.4.2-a-long-name-that-is-continued-on-the-next-line',
  });
});

test('an archive without one, and what is no archive', () => {
  expect(readJarManifest(new BufferSource(jar('', 'ZIP_DEFLATED')))).toEqual({ ok: true, value: undefined });
  expect(readJarManifest(new BufferSource(Buffer.alloc(500)))).toMatchObject({ ok: false });
  expect(readJarManifest(new BufferSource(Buffer.alloc(3)))).toMatchObject({ ok: false });
});

test('a manifest that unpacks to gigabytes is refused', () => {
  const bomb = jar('x'.repeat(100_000), 'ZIP_DEFLATED');
  const entry = bomb.lastIndexOf(Buffer.from('META-INF/MANIFEST.MF')) - 46;
  bomb.writeUInt32LE(0xfffffff0, entry + 24);
  expect(readJarManifest(new BufferSource(bomb))).toMatchObject({ ok: false, error: { code: 'too_large' } });
});

test('every cut and every flipped byte of an archive is refused or read, never thrown over', () => {
  const valid = jar(manifest, 'ZIP_DEFLATED', 1);
  const outcomes = new Set<boolean>();
  for (let at = 0; at < valid.length; at++) {
    outcomes.add(readJarManifest(new BufferSource(valid.subarray(0, at))).ok);
    for (const change of [0x01, 0x80, 0xff]) {
      const bytes = Buffer.from(valid);
      bytes[at] = (bytes[at] ?? 0) ^ change;
      outcomes.add(readJarManifest(new BufferSource(bytes)).ok);
    }
  }
  expect(outcomes).toEqual(new Set([true, false]));
});
