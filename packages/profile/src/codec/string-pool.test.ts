import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { rawInt, rawMessage, rawVarint } from '../testing/raw-message.ts';
import type { Profile } from '../profile.ts';
import { decodePooled, type DecodeResult, decodeProfile } from './decode-profile.ts';
import { StringPool } from './string-pool.ts';

const text = fc.oneof(
  fc.constantFrom('', 'a', 'aa', 'main.main', 'runtime.mallocgc', 'größe', '日本', 'x'.repeat(300)),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const utf8 = new TextEncoder();

/** A message with these strings and one comment for each of them. */
function message(strings: readonly Uint8Array[]): Uint8Array {
  const table = [new Uint8Array(), ...strings];
  return joined([
    Uint8Array.from(rawMessage(1, rawInt(1, Math.min(1, strings.length)))),
    ...table.flatMap((bytes) => [Uint8Array.from([(6 << 3) | 2, ...rawVarint(bytes.length)]), bytes]),
    ...table.map((_, index) => Uint8Array.from(rawInt(13, index))),
  ]);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

test('with a pool the same is read as without, valid or not, and equal strings have one row in it', () => {
  const strings = fc.array(
    fc.oneof({ weight: 20, arbitrary: text.map((one) => utf8.encode(one)) }, fc.constant(Uint8Array.of(0xff, 0x41))),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(fc.array(strings, { minLength: 1, maxLength: 8 }), (profiles) => {
      const pool = new StringPool();
      for (const one of profiles) {
        const bytes = message(one);
        const plain = decodeProfile(bytes);
        const pooled = decodePooled(bytes, {}, pool);
        const said = (result: DecodeResult<Pick<Profile, 'comments'>>) =>
          result.ok ? result.profile.comments : result.error;
        expect(said(pooled)).toEqual(said(plain));
        expect(!pooled.ok || pooled.profile.strings === pool.texts).toBe(true);
        expect(pool.texts[0] ?? '').toBe('');
        expect(new Set(pool.texts).size).toBe(pool.texts.length);
      }
    }),
  );
});

test('a pool that has grown too large begins anew, and what was read with it before stays what it is', () => {
  const pool = new StringPool();
  const read = (prefix: string) => {
    const strings = Array.from({ length: 5000 }, (_, i) => utf8.encode(`${prefix}${i}`.padEnd(1000, '.')));
    const decoded = decodePooled(message(strings), {}, pool);
    if (!decoded.ok) throw new Error(decoded.error.message);
    return decoded.profile.strings;
  };
  const first = read('a');
  const before = [...first];
  for (const prefix of ['b', 'c', 'd', 'e']) read(prefix);
  expect(pool.texts).not.toBe(first);
  expect(pool.texts.length).toBeLessThan(20_000);
  expect(first.slice(0, before.length)).toEqual(before);
});
