/**
 * From −1 (gone) over 0 (the same) to 1 (new): the difference ÷ the larger of the two. Both in one scale: shares of their
 * sides, or amounts.
 */
export function tiltOf(before: number, after: number): number {
  const larger = Math.max(before, after);
  return larger > 0 ? (after - before) / larger : 0;
}

/** With fewer samples on both sides together a difference is not coloured: 4 against 9 says nothing. */
export const minSamplesToColour = 20;
