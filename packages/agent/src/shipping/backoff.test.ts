import { expect, test } from 'vitest';
import { backoffDelayMs, defaultBackoff, maxRetryAfterMs, parseRetryAfterMs } from './backoff.ts';

const most = () => 1;
const none = () => 0;

test('the bound of the wait doubles up to 30 s, and the wait is anywhere below it', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7, 8, 2000].map((failures) => backoffDelayMs(failures, 0, most, defaultBackoff));
  expect(bounds).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  expect(backoffDelayMs(9, 0, none, defaultBackoff)).toBe(0);
  expect(backoffDelayMs(3, 0, () => 0.25, defaultBackoff)).toBe(500);
});

test('Retry-After is heeded, within reason', () => {
  expect(backoffDelayMs(1, 7000, most, defaultBackoff)).toBe(7000);
  expect(backoffDelayMs(7, 7000, most, defaultBackoff)).toBe(30_000);
  expect(backoffDelayMs(1, 1e9, most, defaultBackoff)).toBe(maxRetryAfterMs);
});

test('Retry-After is read as seconds or as a date; senseless ones are none', () => {
  const nowMs = Date.parse('2026-11-23T09:00:00Z');
  expect(parseRetryAfterMs('120', nowMs)).toBe(120_000);
  expect(parseRetryAfterMs('Mon, 23 Nov 2026 09:00:30 GMT', nowMs)).toBe(30_000);
  expect(parseRetryAfterMs('Mon, 23 Nov 2026 08:00:00 GMT', nowMs)).toBe(0);
  for (const senseless of [undefined, '', '-5', '1e9', 'soon', 'Mon, 99 Nov 2026']) {
    expect(parseRetryAfterMs(senseless, nowMs)).toBe(0);
  }
});
