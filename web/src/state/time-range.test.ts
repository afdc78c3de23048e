import { expect, test } from 'vitest';
import { resolveSpan, shifted, stepFor } from './time-range.ts';

test('relative and exact times become milliseconds', () => {
  expect(resolveSpan('now-1h', 'now', 7_200_000)).toEqual({
    ok: true,
    span: { fromMs: 3_600_000, untilMs: 7_200_000 },
  });
  expect(resolveSpan('5', '9', 0)).toEqual({ ok: true, span: { fromMs: 5, untilMs: 9 } });
});

test('a range that is none says why', () => {
  expect(resolveSpan('now', 'now-1h', 0)).toEqual({ ok: false, message: 'The range ends before it begins.' });
  expect(resolveSpan('yesterday', 'now', 0)).toMatchObject({ ok: false });
});

test('steps are round and never below ten seconds', () => {
  expect(stepFor({ fromMs: 0, untilMs: 60_000 })).toBe(10_000);
  expect(stepFor({ fromMs: 0, untilMs: 3_600_000 })).toBe(30_000);
  expect(stepFor({ fromMs: 0, untilMs: 7 * 86_400_000 })).toBe(7_200_000);
});

test('a shifted range has the same length', () => {
  expect(shifted({ fromMs: 100, untilMs: 150 }, -1)).toEqual({ fromMs: 50, untilMs: 100 });
});
