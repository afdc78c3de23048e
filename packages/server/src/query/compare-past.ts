import type { TimeRange } from '../storage/storage.ts';

/** Two windows between which nothing was deployed. */
export interface PastPair {
  readonly before: TimeRange;
  readonly after: TimeRange;
}

export interface PastWindows {
  readonly pairs: readonly PastPair[];
  /** Taken at the same time of day as the comparison. */
  readonly isAligned: boolean;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const minuteMs = 60_000;
/** With fewer days the nearer past says more. */
const leastDays = 5;

/**
 * Windows of the past as long and as far apart as those compared, all before the end of the before side, since `sinceMs`: each whole days earlier
 * where there are five of them, so that they have the same time of day, else one after the other backwards. None for two sides that lived for the most part at
 * the same time: what the fleet does from one window to the next it did to both.
 */
export function pastWindows(before: TimeRange, after: TimeRange, sinceMs: number, most: number): PastWindows {
  const shared = Math.min(before.untilMs, after.untilMs) - Math.max(before.fromMs, after.fromMs);
  if (2 * shared >= Math.min(before.untilMs - before.fromMs, after.untilMs - after.fromMs))
    return { pairs: [], isAligned: false };
  const [beforeSpan, afterSpan] = [before, after].map(({ fromMs, untilMs }) => untilMs - fromMs) as [number, number];
  const gap = after.fromMs > before.fromMs ? after.fromMs - before.fromMs : beforeSpan;
  const pair = (shiftMs: number): PastPair => {
    const fromMs = before.fromMs - shiftMs;
    return {
      before: { fromMs, untilMs: fromMs + beforeSpan },
      after: { fromMs: fromMs + gap, untilMs: fromMs + gap + afterSpan },
    };
  };
  const days = Math.ceil((gap + afterSpan - beforeSpan) / dayMs) * dayMs;
  if (days > 0 && before.fromMs - leastDays * days >= sinceMs) return { pairs: pairs(days), isAligned: true };
  const apart = Math.max(gap, beforeSpan, afterSpan);
  // By whole hours where it matters little, so that what begins with an hour does so in the past.
  const unit = apart >= hourMs ? hourMs : minuteMs;
  return { pairs: pairs(Math.ceil(apart / unit) * unit), isAligned: false };

  function pairs(shiftMs: number): PastPair[] {
    return Array.from({ length: most }, (_, k) => pair((k + 1) * shiftMs)).filter(
      (one) => one.before.fromMs >= sinceMs && one.after.untilMs <= before.untilMs,
    );
  }
}
