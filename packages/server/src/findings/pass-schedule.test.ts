import { expect, test } from 'vitest';
import { waitForPass } from './pass-schedule.ts';

const minuteMs = 60_000;
const nowMs = 1_000 * minuteMs;

/** Minutes ago: when the pass became due, when the last one began, when something was stored. */
const wait = (due: number, last: number | null, stored: number, isBusy: boolean): number =>
  waitForPass(nowMs, nowMs - due * minuteMs, last === null ? null : nowMs - last * minuteMs, {
    isBusy,
    storedMs: nowMs - stored * minuteMs,
  });

test('a pass begins when it is due and the writer has caught up, or has not for five minutes', () => {
  expect([wait(0, 1, 0, false), wait(4, 5, 0, false)]).toEqual([0, 0]);
  expect([wait(0, 1, 0, true), wait(4.9, 6, 0, true), wait(0, null, 0, true)]).toEqual([1000, 1000, 1000]);
  expect([wait(5, 6, 0, true), wait(5, null, 0, true)]).toEqual([0, 0]);
});

test('a store to which nothing comes is looked at every half an hour', () => {
  expect([wait(0, 1, 14, false), wait(0, null, 20, false)]).toEqual([0, 0]);
  expect([wait(0, 1, 15, false), wait(28, 29, 600, false)]).toEqual([minuteMs, minuteMs]);
  expect(wait(29, 30, 600, false)).toBe(0);
});
