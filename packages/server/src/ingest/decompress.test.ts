import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decompress } from './decompress.ts';

const limit = 1_000_000;
const incompressible = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3) * 104729) % 251);
const zeros = (length: number) => new Uint8Array(length);
const tooLarge = { problem: { status: 413, code: 'too_large', field: 'body' } };
const broken = { problem: { status: 400, code: 'bad_compression', field: 'body' } };

const codecs: [name: string, compress: (bytes: Uint8Array) => Buffer][] = [
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
];

test.each(codecs)('%s: what is small or large, well compressible or not, up to the limit', async (_name, compress) => {
  for (const bytes of [zeros(0), zeros(1), incompressible, zeros(limit - 1), zeros(limit)]) {
    expect(Buffer.compare(await decompress(compress(bytes), limit), bytes)).toBe(0);
  }
  for (const length of [limit + 1, 50 * limit]) {
    await expect(decompress(compress(zeros(length)), limit)).rejects.toMatchObject(tooLarge);
  }
});

test.each(codecs)('%s: pieces that follow each other are one', async (_name, compress) => {
  const pieces = [incompressible, zeros(3000), incompressible.subarray(0, 100)];
  const packed = Buffer.concat(pieces.map(compress));
  expect(Buffer.compare(await decompress(packed, limit), Buffer.concat(pieces))).toBe(0);
  const many = Array.from({ length: 101 }, (_, i) => compress(zeros(i < 100 ? limit / 100 : 1)));
  expect(await decompress(Buffer.concat(many.slice(0, 100)), limit)).toHaveLength(limit);
  await expect(decompress(Buffer.concat(many), limit)).rejects.toMatchObject(tooLarge);
});

test.each(codecs)(
  '%s: what comes out has its memory for itself, so that it can be discarded',
  async (_name, compress) => {
    const small = incompressible.subarray(0, 100);
    const [one, two] = [compress(small), Buffer.concat([compress(small), compress(small)])];
    for (const packed of [one, two]) {
      const { buffer, byteLength } = await decompress(packed, limit);
      expect(buffer).not.toBe(packed.buffer);
      expect(buffer).not.toBe(Buffer.allocUnsafe(1).buffer);
      expect(byteLength).toBe(packed === one ? 100 : 200);
    }
  },
);

test.each(codecs)('%s: twice, and no more than twice', async (_name, compress) => {
  expect(Buffer.compare(await decompress(compress(compress(incompressible)), limit), incompressible)).toBe(0);
  const thrice = compress(compress(compress(incompressible)));
  expect(Buffer.compare(await decompress(thrice, limit), compress(incompressible))).toBe(0);
});

test.each(codecs)('%s: cut off anywhere it is refused with the reason', async (_name, compress) => {
  for (const bytes of [incompressible, zeros(100_000)]) {
    const packed = compress(bytes);
    for (let end = 5; end < packed.length; end += 1 + (packed.length >> 6)) {
      await expect(decompress(packed.subarray(0, end), limit)).rejects.toMatchObject(broken);
    }
  }
});

test.each(codecs)('%s: what follows and is none of it is refused', async (_name, compress) => {
  const packed = compress(incompressible);
  await expect(decompress(Buffer.concat([packed, Buffer.from('more')]), limit)).rejects.toMatchObject(broken);
});

test('zstd: more frames than any tool writes are refused', async () => {
  const empty = zstdCompressSync(zeros(0));
  const frames = (count: number) => Buffer.concat(Array.from({ length: count }, () => empty));
  expect(await decompress(frames(1024), limit)).toHaveLength(0);
  await expect(decompress(frames(1025), limit)).rejects.toMatchObject(broken);
});

test('a gzip body that says another length than it has is refused', async () => {
  for (const said of [0, 1, 4999, 5001, limit, 0xff_ff_ff_ff]) {
    const packed = gzipSync(incompressible);
    packed.writeUInt32LE(said, packed.length - 4);
    await expect(decompress(packed, limit)).rejects.toMatchObject(broken);
  }
});
