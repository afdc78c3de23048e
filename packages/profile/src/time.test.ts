import { expect, test } from 'vitest';
import { parseDurationMs, parseTime } from './time.ts';

const NOW = Date.UTC(2026, 10, 23, 9, 0, 0);

const at = (text: string): number | string => {
  const result = parseTime(text, NOW);
  return result.ok ? result.timeMs : 'no time';
};

test('times are RFC 3339, Unix milliseconds or relative to now', () => {
  expect(at('now')).toBe(NOW);
  expect(at('now-1h30m')).toBe(NOW - 5_400_000);
  expect(at('now - 2d')).toBe(NOW - 172_800_000);
  expect(at('now+1w')).toBe(NOW + 604_800_000);
  expect(at('now-90s')).toBe(NOW - 90_000);
  expect(at('now-250ms')).toBe(NOW - 250);
  expect(at('1700000000000')).toBe(1_700_000_000_000);
  expect(at('0')).toBe(0);
  expect(at('2026-11-23T08:00:00Z')).toBe(NOW - 3_600_000);
  expect(at('2026-11-23T08:00:00.1239+01:00')).toBe(NOW - 7_200_000 + 123);
  expect(at('2026-11-22t23:30:00-08:30')).toBe(NOW - 3_600_000);
  expect(at('2028-02-29T00:00:00Z')).toBe(Date.UTC(2028, 1, 29));
});

test('what is no time is refused', () => {
  const none = [
    '',
    'later',
    'now-',
    'now-1',
    'now-1y',
    'now-1h 30m',
    '1.5',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
  ];
  const more = [
    '2026-11-23',
    '2026-11-23T08:00:00',
    '2026-11-23T24:00:00Z',
    '2026-11-23T08:00:60Z',
    '2026-11-23T08:00:00+25:00',
  ];
  const far = ['9999999999999999', `now-${'9'.repeat(400)}w`, 'now-99999999999w'];
  expect([...none, ...more, ...far].map(at).filter((time) => time !== 'no time')).toEqual([]);
});

test('durations add their parts', () => {
  expect(['1h30m', '2d', '1w1d1h1m1s1ms', '0s'].map(parseDurationMs)).toEqual([5_400_000, 172_800_000, 694_861_001, 0]);
  expect(['', '1', 'h', '-1h', '1.5h'].map(parseDurationMs)).toEqual(Array.from({ length: 5 }, () => undefined));
});
