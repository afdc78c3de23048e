import { expect, test } from 'vitest';
import { fromFirstProfile } from './store-start.ts';

const span = { fromMs: 0, untilMs: 3_600_000 };

test('a range that ends now begins with the first profile, at least two minutes back', () => {
  expect(fromFirstProfile(span, 'now', 3_000_000)).toEqual({ fromMs: 3_000_000, untilMs: 3_600_000 });
  expect(fromFirstProfile(span, 'now', 3_590_000)).toEqual({ fromMs: 3_480_000, untilMs: 3_600_000 });
});

test('older stores, empty stores and chosen ranges are asked as they are', () => {
  expect(fromFirstProfile(span, 'now', -5)).toEqual(span);
  expect(fromFirstProfile(span, 'now', null)).toEqual(span);
  expect(fromFirstProfile(span, '3600000', 3_000_000)).toEqual(span);
  expect(fromFirstProfile({ fromMs: 0, untilMs: 60_000 }, 'now', 50_000)).toEqual({ fromMs: 0, untilMs: 60_000 });
});
