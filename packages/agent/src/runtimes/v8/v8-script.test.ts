import { array, assert as assertThat, boolean, constantFrom, property, record, string } from 'fast-check';
import { expect, test } from 'vitest';

import { lineStartsOf } from './v8-script.ts';

const ends = constantFrom('\n', '\r', '\r\n', '\u2028', '\u2029', 'x');

test('lines begin where ECMAScript says, however the string is put together', () => {
  const part = record({ texts: array(ends), filler: string({ maxLength: 5 }), isOneByte: boolean() });
  assertThat(
    property(array(part), (drawn) => {
      const parts = drawn.map(({ texts, filler, isOneByte }) => {
        const text = texts.join(filler);
        const isLatin = /^[\0-\xff]*$/u.test(text);
        return {
          text,
          bytes: Buffer.from(text, isOneByte && isLatin ? 'latin1' : 'utf16le'),
          isOneByte: isOneByte && isLatin,
        };
      });
      const whole = parts.map(({ text }) => text).join('');
      const expected = [...whole.matchAll(/\r\n|[\n\r\u2028\u2029]/gu)].map(({ 0: end, index }) => index + end.length);
      expect([...(lineStartsOf(parts) ?? [])]).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('a bundle of thousands of lines', () => {
  const bytes = Buffer.from('let a = 1;\n'.repeat(5000));
  expect([...(lineStartsOf([{ bytes, isOneByte: true }]) ?? [])]).toEqual(
    Array.from({ length: 5000 }, (_, line) => 11 * (line + 1)),
  );
});
