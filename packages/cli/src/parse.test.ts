import { expect, test } from 'vitest';
import { parseBytes, parseDurationMs, parseListen, parseUrl, wholeNumber } from './parse.ts';
import { parseRetention } from './parse-retention.ts';

test.each([
  ['127.0.0.1:4099', { host: '127.0.0.1', port: 4099 }],
  ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
  ['[::1]:4099', { host: '::1', port: 4099 }],
  [':4099', { host: '127.0.0.1', port: 4099 }],
  ['4099', { host: '127.0.0.1', port: 4099 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
])('%s is an address to listen on; without a host it is loopback', (text, listen) => {
  expect(parseListen(text)).toEqual(listen);
});

test.each(['', 'host', '127.0.0.1', '1.2.3.4:99999', '::1:4099', 'a:b:3'])('%j is no address to listen on', (text) => {
  expect(() => parseListen(text)).toThrow('expected HOST:PORT');
});

test.each([
  ['30', 30_000],
  ['1.5', 1500],
  ['500ms', 500],
  ['5m', 300_000],
  ['1h', 3_600_000],
])('a duration of %s is %d ms', (text, durationMs) => {
  expect(parseDurationMs(text)).toBe(durationMs);
});

test.each(['', '0', '-1', '5 m', '1d', 'x'])('%j is no duration', (text) => {
  expect(() => parseDurationMs(text)).toThrow('expected seconds');
});

test.each([
  ['1000', 1000],
  ['500MB', 500e6],
  ['1GiB', 2 ** 30],
  ['64 MiB', 64 * 2 ** 20],
])('a size of %s is %d bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test('a server may be given without a scheme, and only http and https are taken', () => {
  expect(parseUrl('127.0.0.1:4099').href).toBe('http://127.0.0.1:4099/');
  expect(parseUrl('https://profiles.example/x').href).toBe('https://profiles.example/x');
  expect(() => parseUrl('file:///etc/passwd')).toThrow('expected a URL');
});

test('a whole number outside its range is refused with the range', () => {
  const frequency = wholeNumber(1, 10_000);
  expect(frequency('99')).toBe(99);
  for (const text of ['0', '10001', '9.5', '-3', 'x', '1e3']) expect(() => frequency(text)).toThrow('from 1 to 10000');
});

const dayMs = 24 * 3_600_000;
const batch = { name: 'service_name', operator: '=', value: 'batch' };

test('ages of retention: plain, of a selector, several, over several flags', () => {
  expect(parseRetention('30d')).toEqual({ rules: [], maxAgeMs: 30 * dayMs });
  const first = parseRetention('{service_name="batch"}=7d');
  expect(first).toEqual({ rules: [{ matchers: [batch], maxAgeMs: 7 * dayMs }] });
  expect(parseRetention('8w', first)).toEqual({ ...first, maxAgeMs: 56 * dayMs });
  const brace = { name: 'a', operator: '=~', value: '}=1d {' };
  expect(parseRetention(' 30d {service_name="batch"} = 7d\n{a=~"}=1d {", service_name=`batch`}=12h ')).toEqual({
    rules: [
      { matchers: [batch], maxAgeMs: 7 * dayMs },
      { matchers: [brace, batch], maxAgeMs: dayMs / 2 },
    ],
    maxAgeMs: 30 * dayMs,
  });
});

test.each([
  ['', 'expected an age'],
  ['30', 'expected a time'],
  ['30d 7d', 'given twice'],
  ['{service_name="batch"}', 'expected an age'],
  ['{service_name="batch"=7d', 'expected an age'],
  ['{service_name=~"("}=7d', 'regular expression'],
  ['{}=7d', 'expected labels'],
  ['{"process_cpu:cpu", a="b"}=7d', 'expected labels'],
  ['{a="b"}=7', 'expected a time'],
])('%j says nothing about retention', (text, message) => {
  expect(() => parseRetention(text)).toThrow(message);
});
