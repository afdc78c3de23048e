import { expect, test } from 'vitest';

import { alignedIntervals, monotonicNowNs } from './interval-clock.ts';

/** Intervals of 10 s on clocks that the test sets: seconds since boot and since the epoch. */
function intervals(
  uptimeS: number,
  unixS: number,
): { clock: { uptimeS: number; unixS: number }; next: (s: number) => string } {
  const clock = { uptimeS, unixS };
  const aligned = alignedIntervals(10_000, {
    monotonicNs: () => clock.uptimeS * 1e9,
    unixMs: () => Math.floor(clock.unixS * 1e3),
  });
  return {
    clock,
    next: (startS) => {
      const { samples, endNs } = aligned(startS * 1e9);
      return `${Number(samples.startUnixNs) / 1e9} for ${((endNs - startS * 1e9) / 1e9).toFixed(3)} s`;
    },
  };
}

test('the first interval ends at the next multiple, the following ones are whole', () => {
  const { clock, next } = intervals(50, 1003);
  expect(next(50)).toBe('1003 for 7.000 s');
  clock.uptimeS = 57.1;
  clock.unixS = 1010.1;
  expect(next(57)).toBe('1010 for 10.000 s');
});

test('a millisecond before or after a boundary is the boundary', () => {
  const { clock, next } = intervals(57.001, 1010);
  expect(next(57)).toBe('1010 for 10.001 s');
  clock.unixS = 1010.002;
  expect(next(57)).toBe('1010 for 9.999 s');
});

test('a start just before a boundary makes one longer interval, not one of a moment, and says when it began', () => {
  const { next } = intervals(56.8, 1009.8);
  expect(next(56.8)).toBe('1009.8 for 10.200 s');
});

test('when the wall clock is set, one interval is shorter or longer, and the next ones are at multiples again', () => {
  const { clock, next } = intervals(60, 1010);
  clock.unixS = 5004;
  expect(next(60)).toBe('5004 for 6.000 s');
  clock.uptimeS = 66;
  clock.unixS = 5010;
  expect(next(66)).toBe('5010 for 10.000 s');
});

test('the clock is that of the kernel’s time stamps', () => {
  const before = Number(process.hrtime.bigint());
  const now = monotonicNowNs();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now - before).toBeLessThan(1e9);
});
