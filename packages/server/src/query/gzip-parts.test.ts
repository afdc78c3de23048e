import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { gzipParts } from './gzip-parts.ts';

test('the parts come back as one, by zlib, by a browser’s reader and by gunzip', async () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.nat(255), fc.nat(200_000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 9 }), async (parts) => {
      const whole = Buffer.concat(parts);
      const file = await gzipParts(parts, 4);
      expect(gunzipSync(file).equals(whole)).toBe(true);
      // Refuses what follows the first member.
      const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream('gzip'));
      expect(Buffer.from(await new Response(stream).arrayBuffer()).equals(whole)).toBe(true);
    }),
    { numRuns: 50 },
  );
  const file = await gzipParts([Buffer.from('one '), Buffer.from('two')], 4);
  expect(execFileSync('gzip', ['-dc'], { input: file, encoding: 'utf8' })).toBe('one two');
});

test('what the maker of parts throws ends it all', async () => {
  const parts = function* () {
    yield new Uint8Array(1000);
    throw new Error('stopped');
  };
  await expect(gzipParts(parts(), 4)).rejects.toThrow('stopped');
});
