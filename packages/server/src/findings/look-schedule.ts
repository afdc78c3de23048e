const minuteMs = 60_000;
/** The first look is after five minutes, each next one when there is twice as much: 5, 10, 20 … 2,560 minutes. */
export const firstLookMs = 5 * minuteMs;
export const mostLooks = 10;

/**
 * How much time after a deployment the next look takes in; null when none is due. Looks at doubling times see new data for the most part, so that the error
 * that each must spend (`lookShare` of packages/compare: 1/(k(k + 1)) of the budget) buys something. Whoever was away skips looks, and does not pay for them.
 *
 * `doneMs`: what the last look has taken in, 0 before the first. `elapsedMs` counts until now, or until the version was gone.
 */
export function nextLook(doneMs: number, elapsedMs: number): number | null {
  let due: number | null = null;
  for (let look = 0; look < mostLooks; look++) {
    const spanMs = firstLookMs * 2 ** look;
    if (spanMs > doneMs && spanMs <= elapsedMs) due = spanMs;
  }
  return due;
}
